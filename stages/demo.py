"""Writes the embedded data set: a chain of stores that sells like retail, drawn from the `demo` section of params.yaml.

Reads params.yaml. Writes data/demo/sales.csv: date, store, item, sales, with `promo` and `open` where asked for, sorted by store,
item, date. The mean of a day is a product of effects (demand/simulation/effects.py), the count around it negative binomial.
Every effect has its own random stream, drawn day after day: more years only append days, and switching one effect on leaves
the others alone.
"""

from __future__ import annotations

from pyarrow import csv

from demand.simulation.demo_params import DemoParams
from demand.simulation.simulator import generate, to_table
from workspace.run import paths
from workspace.run.command import run_command
from workspace.run.files import whole_file
from workspace.run.params_file import load_params


def main() -> None:
    demo = load_params(DemoParams)
    table = to_table(generate(demo), demo.promotions, demo.closed_days)
    with whole_file(paths.DEMO) as part:
        csv.write_csv(table, part, csv.WriteOptions(quoting_header="none"))
    print(f"{table.num_rows:,} rows, {demo.stores * demo.items:,} series: {paths.DEMO}")


if __name__ == "__main__":
    run_command(main)
