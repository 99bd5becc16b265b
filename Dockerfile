# The forecast API: docker build -t store-item-demand-api .  Runs as it is as a Hugging Face Docker Space (docs/serving.md).
FROM python:3.11-slim AS packages
# pip's own settings, for where packages come from a mirror; empty ones are not passed on.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY requirements-api.lock requirements-sbom.lock ./
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --no-compile --disable-pip-version-check --require-hashes -r requirements-api.lock \
 && /venv/bin/python -m pip uninstall --yes --quiet pip setuptools \
 && cd /venv/lib/python3.11/site-packages \
 && find numpy scipy pyarrow networkx -type d -name tests -prune -exec rm -rf {} + \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name 's3' ! -name 'sso*' ! -name 'sts' -exec rm -rf {} + \
 && (cd pyarrow && rm -rf include src *_flight.* *_s3.* _s3fs.* libarrow_python.so libarrow_python.so.*.*) \
 && find . \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.h' -o -name __pycache__ \) -prune -exec rm -rf {} +
# The bill of materials of what is left, in CycloneDX's form: docker run --rm store-item-demand-api cat /sbom.cdx.json
RUN python -m venv /sbom \
 && /sbom/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-sbom.lock \
 && /sbom/bin/cyclonedx-py environment /venv/bin/python --output-reproducible --of JSON -o /sbom.cdx.json

FROM python:3.11-slim
RUN useradd --uid 1000 --create-home api
COPY --from=packages /venv /venv
COPY --from=packages /sbom.cdx.json /
# The working tree, as far as .dockerignore lets it in: the code, and the model and data that lie there. Volumes may cover the latter.
COPY . /srv
WORKDIR /srv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 GIT_PYTHON_REFRESH=quiet HOST=0.0.0.0 PORT=8000
# Everything that serves is there, and lies compiled, as the user below could not keep what Python compiles.
RUN python -c 'import api.app, api.precompute.build, api.serving.whatif, dulwich.porcelain, dvc_s3, uvicorn.protocols.http.httptools_impl, uvloop' \
 && python -c 'from demand.model.trees import boosted_trees; boosted_trees.xgboost()' && dvc pull --help >/dev/null && rm -rf /tmp/*
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["python", "-m", "api"]
