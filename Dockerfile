# The chat page. Settings come as FSI_… variables, AWS credentials from the task's or the instance's role: docs/aws.md.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 GRADIO_ANALYTICS_ENABLED=False
WORKDIR /srv/faq
COPY requirements.txt constraints.txt ./
RUN pip install -r requirements.txt

COPY app.py ./
COPY rag rag
COPY data data
RUN useradd --system --uid 10001 --home-dir /srv/faq faq && mkdir .fsi && chown faq .fsi
USER 10001

# A volume for the FAISS indexes, records and chats.
VOLUME /srv/faq/.fsi
# Does not start without logins (FSI_UI__AUTH_FILE) unless FSI_UI__OPEN_TO_ALL=true.
ENV FSI_UI__HOST=0.0.0.0 FSI_UI__PORT=7860
EXPOSE 7860
# Returns 200 while the models are loading, and 503 if loading failed.
HEALTHCHECK --interval=30s --timeout=5s --start-period=180s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['FSI_UI__PORT'] + '/healthz', timeout=4)"]
CMD ["python", "app.py"]
