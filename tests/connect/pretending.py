"""A worker that speaks the protocol without the library, and dies, sleeps or refuses when a file says so."""

import base64
import json
import sys
import time

sys.stdout.write(json.dumps({"ready": True}) + "\n")
sys.stdout.flush()
for line in sys.stdin:
    request = json.loads(line)
    word = base64.b64decode(request["data"]).decode()
    if word == "die":
        sys.exit(3)
    if word == "sleep":
        time.sleep(60)
    answer = {"refused": "no such file"} if word == "refuse" else {"document": {"said": word}}
    sys.stdout.write(json.dumps({"id": request["id"], **answer}) + "\n")
    sys.stdout.flush()
