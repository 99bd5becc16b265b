# The forecast API: docker build -t store-item-demand-api .  Runs as it is as a Hugging Face Docker Space (docs/serving.md).
FROM python:3.11-slim AS packages
# pip's own settings, for where packages come from a mirror; empty ones are not passed on.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY requirements-api.txt constraints.txt ./
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check -r requirements-api.txt -c constraints.txt \
 && /venv/bin/python -m pip uninstall --yes --quiet pip setuptools \
 && cd /venv/lib/python3.11/site-packages \
 && find numpy scipy sklearn pyarrow joblib -type d -name tests -prune -exec rm -rf {} + \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*_flight.* pyarrow/*_s3.* pyarrow/_s3fs.* \
 && find . \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.h' \) -delete \
 && /venv/bin/python -c 'import pyarrow.parquet, sklearn.ensemble, xgboost, dvc_s3, dulwich.porcelain'

FROM python:3.11-slim
RUN useradd --uid 1000 --create-home api
COPY --from=packages /venv /venv
# The working tree, as far as .dockerignore lets it in: the code, and the model and data that lie there. Volumes may cover the latter.
COPY . /srv
WORKDIR /srv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 GIT_PYTHON_REFRESH=quiet HOST=0.0.0.0 PORT=8000
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["python", "-m", "api"]
