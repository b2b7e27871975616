"""Clients as partners write them, in the languages that are installed: submitters and receivers (SC-86, SC-87)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, keys, referrals, webhooks
from pipeline.webhooks.sender import deliver_pending

LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "email": "marta@lindqvist.example",
    "phone": "2535550142",
    "company_name": "Lindqvist Boats",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "WA",
    "residential_zip": "98402",
    "notes": "By a client",
}
PYTHON = """
import json, sys, requests
url, key, lead = sys.argv[1:]
answer = requests.post(url, json=json.loads(lead), headers={'Content-Type': 'application/json', 'X-API-Key': key})
print(answer.json()['reference_id'] if answer.status_code == 200 and answer.json().get('success') else answer.text)
"""
NODE = """
const [url, key, lead] = process.argv.slice(1);
fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json', 'X-API-Key': key}, body: lead})
  .then(async (answer) => {
    const data = await answer.json();
    console.log(answer.ok && data.success ? data.reference_id : data.error);
  });
"""
PHP = """
[, $url, $key, $lead] = $argv;
$ch = curl_init($url);
curl_setopt_array($ch, [CURLOPT_RETURNTRANSFER => true, CURLOPT_POST => true, CURLOPT_POSTFIELDS => $lead,
  CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'X-API-Key: ' . $key]]);
echo json_decode(curl_exec($ch), true)['reference_id'];
"""
# The raw body is what is verified, then it is parsed: as each of the printed receivers does.
RECEIVERS = {
    "node": """
const http = require('http'), crypto = require('crypto');
const [secret, port] = process.argv.slice(1);
http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', () => {
    const raw = Buffer.concat(parts), given = request.headers['x-webhook-signature'];
    const wanted = crypto.createHmac('sha256', secret).update(raw).digest('hex');
    const say = (code, body) => response.writeHead(code).end(JSON.stringify(body));
    if (!given) return say(401, {error: 'Missing signature'});
    if (given !== wanted) return say(401, {error: 'Invalid signature'});
    const {event, timestamp, data} = JSON.parse(raw);
    const is_told = event === request.headers['x-webhook-event'] && timestamp && data.lead_reference_id;
    say(is_told ? 200 : 500, {received: true});
  });
}).listen(Number(port), '127.0.0.1');
""",
    "python": """
import hashlib, hmac, json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
secret, port = sys.argv[1:]
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers['Content-Length']))
        given = self.headers.get('X-Webhook-Signature')
        wanted = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        if not given:
            self.say(401, {'error': 'Missing signature'})
        elif not hmac.compare_digest(given, wanted):
            self.say(401, {'error': 'Invalid signature'})
        else:
            told = json.loads(raw)
            is_told = told['event'] == self.headers['X-Webhook-Event'] and told['timestamp'] and told['data']['lead_reference_id']
            self.say(200 if is_told else 500, {'received': True})
    def say(self, code, body):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def log_message(self, *_):
        pass
HTTPServer(('127.0.0.1', int(port)), Handler).serve_forever()
""",
    "php": """<?php
$raw = file_get_contents('php://input');
$given = $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'] ?? '';
function say($code, $body) { http_response_code($code); echo json_encode($body); }
if (!$given) { say(401, ['error' => 'Missing signature']); return; }
if (!hash_equals(hash_hmac('sha256', $raw, getenv('SECRET')), $given)) { say(401, ['error' => 'Invalid signature']); return; }
$told = json_decode($raw, true);
$is_told = $told['event'] === $_SERVER['HTTP_X_WEBHOOK_EVENT'] && $told['timestamp'] && $told['data']['lead_reference_id'];
say($is_told ? 200 : 500, ['received' => true]);
""",
    "ruby": """
require 'json'; require 'openssl'; require 'socket'
secret, port = ARGV
server = TCPServer.new('127.0.0.1', port.to_i)
loop do
  client = server.accept
  client.gets
  headers = {}
  while (line = client.gets) && line != "\\r\\n"
    name, value = line.chomp.split(': ', 2)
    headers[name.downcase] = value
  end
  raw = client.read(headers['content-length'].to_i)
  given, wanted = headers['x-webhook-signature'], OpenSSL::HMAC.hexdigest('SHA256', secret, raw)
  code, body = if given.nil? then [401, {error: 'Missing signature'}]
  elsif given != wanted then [401, {error: 'Invalid signature'}]
  else
    told = JSON.parse(raw)
    is_told = told['event'] == headers['x-webhook-event'] && told['timestamp'] && told['data']['lead_reference_id']
    [is_told ? 200 : 500, {received: true}]
  end
  text = body.to_json
  client.write "HTTP/1.1 #{code} X\\r\\nContent-Length: #{text.bytesize}\\r\\nConnection: close\\r\\n\\r\\n#{text}"
  client.close
end
""",
}


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    return make_app_database("sqlite")


@pytest.fixture
def running(make_api: Any, tmp_path: Path) -> Iterator[Any]:
    with make_api(home=tmp_path) as api:
        yield api


def commands(url: str, key: str) -> dict[str, list[str]]:
    lead = json.dumps(LEAD)
    headers = ["-H", "Content-Type: application/json", "-H", f"X-API-Key: {key}"]
    known = {
        "python": [sys.executable, "-c", PYTHON, url, key, lead],
        "node": ["node", "-e", NODE, url, key, lead],
        "php": ["php", "-r", PHP, "--", url, key, lead],
        "curl": ["curl", "-s", "-X", "POST", url, *headers, "-d", lead],
    }
    return {name: command for name, command in known.items() if shutil.which(command[0]) and (name != "php" or has_php_curl())}


def has_php_curl() -> bool:
    """Has PHP the extension that submitters in it use?"""
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, timeout=30, check=True).stdout
    return "curl" in listed.split()


def test_sc_87_submitters_of_all_installed_languages_submit(running: Any) -> None:
    partner = accounts.create_partner(running.database, running.organization, "Ada", "ada@p.example", running.now)
    key = keys.create_key(running.database, running.organization, "test", running.now).token
    found = commands(f"{running.url}/app/partners/api/v1/leads/submit", key)
    assert "python" in found
    for name, command in found.items():
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        assert "20260512-" in said, (name, said)
    counts = referrals.count_by_status(running.database, partner.id)
    assert counts["lead"] == len(found)


@pytest.mark.parametrize("language", sorted(RECEIVERS))
def test_sc_86_receivers_accept_what_is_genuine_and_refuse_the_rest(partners: Any, tmp_path: Path, language: str) -> None:
    program = {"python": sys.executable, "node": "node", "php": "php", "ruby": "ruby"}[language]
    if shutil.which(program) is None:
        pytest.skip(f"{language} is not installed")
    settings = partners.settings(home=tmp_path)
    box = SecretBox.open(settings)
    db, now = partners.database, partners.now
    partner = accounts.create_partner(db, partners.add("acme"), "Ada", "ada@p.example", now)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/webhook"
    hook = webhooks.add_webhook(db, box, partner, url, (), now, [ip_network("127.0.0.0/8")])
    source = tmp_path / f"receiver.{language}"
    source.write_text(RECEIVERS[language], encoding="utf-8")
    if language == "php":
        command = [program, "-S", f"127.0.0.1:{port}", str(source)]
    else:
        inline = [program, "-c" if language == "python" else "-e", RECEIVERS[language]]
        command = [*inline, str(hook.secret), str(port)]
    receiver = subprocess.Popen(command, env=os.environ | {"SECRET": str(hook.secret)}, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):  # a busy machine starts an interpreter slowly
            try:
                missing = httpx.post(url, content=b"{}", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        assert (missing.status_code, missing.json()) == (401, {"error": "Missing signature"})
        wrong = httpx.post(url, content=b"{}", headers={"X-Webhook-Signature": "0" * 64}, trust_env=False)
        assert (wrong.status_code, wrong.json()) == (401, {"error": "Invalid signature"})
        referrals.submit_lead(db, box, partner, LEAD | {"first_name": "Zoë"}, now)
        webhooks.add_test(db, partner, hook.id, now)
        report = deliver_pending(db, box, settings, lambda: now)
        assert (report.delivered, report.failed) == (2, 0)
    finally:
        receiver.terminate()
        receiver.wait(10)
