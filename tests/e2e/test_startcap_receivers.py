"""Receivers of StartCap deliveries, run as they are printed: our page's and, where it is at hand, the source page's (SC-86).

A language is tested where it is installed (Debian: php-cli, nodejs, ruby and ruby-sinatra, golang-go, default-jdk-headless, for
the source page's Java also libspring-web-servlet-java, libjackson2-databind-java and libtomcat9-java); else its test is skipped
by name.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, earnings, plans, referrals, snapshots, webhooks
from pipeline.settings import PROJECT_ROOT
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import hmac_hex

OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "startcap" / "receivers.md"
LEAD = {"first_name": "Zoë", "last_name": "Lindqvist", "email": "zoe@lindqvist.example"}
# By heading of our page: the file, what must be installed, the command.
RECEIVERS = {
    "Node": ("receiver.mjs", "node", ["node", "receiver.mjs"]),
    "Python": ("receiver.py", sys.executable, [sys.executable, "receiver.py"]),
    "PHP": ("receiver.php", "php", ["php", "-S", "127.0.0.1:{port}", "receiver.php"]),
    "Ruby": ("receiver.rb", "ruby", ["ruby", "receiver.rb"]),
    "Go": ("receiver.go", "go", ["go", "run", "receiver.go"]),
    "Java": ("Receiver.java", "javac", ["java", "Receiver.java"]),
}
# The source page's.
SECTION = "Below are complete, ready-to-use webhook receiver"
FLASK = "0" * 9 + "111" + "2" + "1" * 9 + "2" + "1" * 8 + "22" + "122" * 3 + "12" + "11" + "01"
SPRING = ("spring3-web.servlet", "spring3-web", "spring3-context", "spring3-beans", "spring3-core", "spring3-expression")
JARS = (*SPRING, "spring3-aop", "commons-logging", "jackson-databind", "jackson-core", "jackson-annotations")
TOMCAT = ("tomcat9-catalina", "tomcat9-coyote", "tomcat9-juli", "tomcat9-servlet-api", "tomcat9-util", "tomcat9-api")
TOMCAT_TOO = ("tomcat9-util-scan", "tomcat9-jni", "tomcat9-jaspic-api", "tomcat9-annotations-api", "tomcat9-jsp-api")
# What stands around the printed controller: Tomcat, in which Spring finds it.
MAIN = """
import java.nio.file.Files;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.http.converter.json.MappingJackson2HttpMessageConverter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

public class Main {
    public static class Adapter extends RequestMappingHandlerAdapter {
        public Adapter() { getMessageConverters().add(new MappingJackson2HttpMessageConverter()); }
    }

    public static void main(String[] arguments) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
        tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        Context context = tomcat.addContext("", null);
        AnnotationConfigWebApplicationContext spring = new AnnotationConfigWebApplicationContext();
        spring.register(RequestMappingHandlerMapping.class, Adapter.class, WebhookController.class);
        Tomcat.addServlet(context, "spring", new DispatcherServlet(spring)).setLoadOnStartup(1);
        context.addServletMappingDecoded("/", "spring");
        tomcat.start();
        tomcat.getServer().await();
    }
}
"""


@pytest.fixture
def app_database(make_app_database: Callable[[str], AppDatabase]) -> AppDatabase:
    """What receivers see does not depend on the backend: one is enough."""
    return make_app_database("sqlite")


class Sender:
    """A partner with one webhook, ``port`` of this machine, to which all four events happen."""

    def __init__(self, partners: Any, home: Path, port: int) -> None:
        self.partners, self.db, self.now = partners, partners.database, partners.now
        self.settings = partners.settings(home=home, webhook_timeout_seconds=30.0)
        self.box = SecretBox.open(self.settings)
        self.organization = partners.add("acme")
        self.partner = accounts.create_partner(self.db, self.organization, "Ada", "ada@p.example", self.now)
        plans.set_rate(self.db, self.organization, 1, Decimal(5), "Direct", self.now)
        self.url = f"http://127.0.0.1:{port}/webhook"
        loopback = [ip_network("127.0.0.0/8")]
        self.hook = webhooks.add_webhook(self.db, self.box, self.partner, self.url, (), self.now, loopback)
        self.secret = str(self.hook.secret)

    def send_everything(self) -> str:
        """A lead is submitted and funded, the partner paid and suspended, the webhook tested; gives the lead's reference id."""
        later = self.now + timedelta(seconds=1)
        _, reference = referrals.submit_lead(self.db, self.box, self.partner, LEAD, self.now)
        line = {"reference_id": reference, "application_status": "funded", "funded_amount": "2500.00"}
        snapshots.land(self.db, self.now.date(), json.dumps(line), later)
        snapshots.sync(self.db, self.box, later)
        earnings.pay_out(self.db, 1, later)
        accounts.set_status(self.db, self.organization, "suspended", later)
        webhooks.add_test(self.db, self.partner, self.hook.id, later)
        deliver_pending(self.db, self.box, self.settings, lambda: later)
        return reference

    def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """A request that is not the ledger's; a receiver may have just begun to start."""
        headers = headers | {"Content-Type": "application/json"}
        return httpx.post(self.url, content=body, headers=headers, timeout=60, trust_env=False)

    def check(self, is_json: bool = True) -> str:
        """All genuine deliveries are taken; what is unsigned, or signed by another, is refused in the page's words."""
        other = {"X-Webhook-Signature": hmac_hex("sc_whsec_of_another", b"{}")}
        for headers, told in (({}, "Missing signature"), (other, "Invalid signature")):
            answer = self.post(b"{}", headers)
            assert answer.status_code == 401
            assert (answer.json() == {"error": told}) if is_json else (answer.text == told + "\n")
        reference = self.send_everything()
        assert sorted((row.event_type, row.status, row.response_code or row.reason) for row in self.partners.deliveries()) == [
            ("account.status_changed", "delivered", 200),
            ("commission.earned", "delivered", 200),
            ("lead.status_changed", "delivered", 200),
            ("lead.status_changed", "delivered", 200),
            ("lead.status_changed", "delivered", 200),
            ("payout.processed", "delivered", 200),
        ]
        return reference


@pytest.fixture
def sender(partners: Any, tmp_path: Path, free_port: int) -> Sender:
    return Sender(partners, tmp_path / "home", free_port)


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"needs {program}")


def wait_for(log: Path, *words: str) -> None:
    """What is handled is handled after the answer."""
    until = time.monotonic() + 30
    while not all(word in log.read_text(encoding="utf-8") for word in words):
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.02)


@pytest.mark.parametrize("heading", RECEIVERS)
def test_sc_86_our_page_s_receivers_take_what_is_genuine_and_handle_it_once(
    heading: str, sender: Sender, running: Any, free_port: int, tmp_path: Path
) -> None:
    file, program, command = RECEIVERS[heading]
    needs(program)
    found = re.search(rf"## {heading}\n.*?```\w+\n(.*?)```", OUR_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / file).write_text(found[1], encoding="utf-8")
    log = tmp_path / "receiver.log"
    with running(command, tmp_path, port=free_port, STARTCAP_WEBHOOK_SECRET=sender.secret):
        reference = sender.check()
        wait_for(log, reference, "commission.earned", "payout.processed", "account.status_changed", "125", "suspended")
        [sent] = [row for row in sender.partners.deliveries() if row.event_type == "commission.earned"]
        # As a replay does: the same bytes, the same id.
        body = sent.body.encode()
        headers = {
            "X-Webhook-Signature": hmac_hex(sender.secret, body),
            "X-Webhook-ID": sent.event_id,
            "X-Webhook-Event": sent.event_type,
        }
        answer = sender.post(body, headers)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        assert sender.post(body + b" ", headers).status_code == 401
    said = log.read_text(encoding="utf-8")
    assert len(re.findall(r"commission\.earned (125|\{)", said)) == 1, said


def check_source_page(
    sender: Sender, running: Any, folder: Path, command: list[str], is_json: bool = True, **more: Any
) -> None:
    """The program in ``folder`` takes what is genuine, and says of each event what the page's programs say."""
    with running(command, folder, **more):
        reference = sender.check(is_json)
    # Once it has ended: some keep what they print until then.
    said = (folder / "receiver.log").read_text(encoding="utf-8")
    for words in (
        f"Lead {reference} changed from lead to funded",
        "Commission earned: $125",
        "Payout processed: $125",
        "Account status changed from active to suspended",
    ):
        assert words in said, said


def test_sc_86_the_source_page_s_express_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any, request: pytest.FixtureRequest
) -> None:
    needs("node")
    last = "console.log(`Webhook server running on port ${PORT}`);"
    program = startcap_page(SECTION, "const express = require('express');", last) + "});\n"
    (tmp_path / "receiver.cjs").write_text(program.replace("your_webhook_secret_here", sender.secret), encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(request.getfixturevalue("node_modules"))
    check_source_page(sender, running, tmp_path, ["node", "receiver.cjs"], port=free_port)


def test_sc_86_the_source_page_s_flask_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any, request: pytest.FixtureRequest
) -> None:
    """Flask's own command runs it, on our port."""
    program = startcap_page(SECTION, "from flask import Flask, request, jsonify", "app.run(port=3000, debug=True)", FLASK)
    (tmp_path / "receiver.py").write_text(program.replace("your_webhook_secret_here", sender.secret), encoding="utf-8")
    library = str(request.getfixturevalue("python_library"))
    command = [sys.executable, "-m", "flask", "--app", "receiver", "run", "--port", "{port}"]
    check_source_page(sender, running, tmp_path, command, port=free_port, PYTHONPATH=library)


def test_sc_86_the_source_page_s_php_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any
) -> None:
    needs("php")
    program = startcap_page(SECTION, "<?php", "?>").replace("your_webhook_secret_here", sender.secret)
    (tmp_path / "receiver.php").write_text(program, encoding="utf-8")
    check_source_page(sender, running, tmp_path, ["php", "-S", "127.0.0.1:{port}", "receiver.php"], port=free_port)


def test_sc_86_the_source_page_s_sinatra_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any
) -> None:
    needs("ruby")
    if subprocess.run(["ruby", "-e", "require 'sinatra/base'"], capture_output=True).returncode:
        pytest.skip("needs ruby-sinatra")
    program = startcap_page(SECTION, "require 'sinatra'", "{ received: true }.to_json") + "end\n"
    (tmp_path / "receiver.rb").write_text(program.replace("your_webhook_secret_here", sender.secret), encoding="utf-8")
    command = ["ruby", "receiver.rb", "-o", "127.0.0.1", "-p", "{port}", "-e", "production"]
    check_source_page(sender, running, tmp_path, command, port=free_port)


def test_sc_86_the_source_page_s_go_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any
) -> None:
    """It names a variable that it does not use, which Go's compiler refuses: it gets a use. Its refusals are plain text."""
    needs("go")
    program = startcap_page(SECTION, "package main", 'log.Fatal(http.ListenAndServe(":3000", nil))') + "}\n"
    unused = 'eventType := r.Header.Get("X-Webhook-Event")'
    for before, after in (
        ("your_webhook_secret_here", sender.secret),
        (unused, f"{unused}\n_ = eventType"),
        ('ListenAndServe(":3000"', f'ListenAndServe("127.0.0.1:{free_port}"'),
    ):
        assert program.count(before) == 1, before
        program = program.replace(before, after)
    (tmp_path / "receiver.go").write_text(program, encoding="utf-8")
    check_source_page(sender, running, tmp_path, ["go", "run", "receiver.go"], is_json=False, port=free_port)


def test_sc_86_the_source_page_s_spring_receiver(
    sender: Sender, running: Any, free_port: int, tmp_path: Path, startcap_page: Any
) -> None:
    """The controller unmodified, found by Spring MVC (Debian's 4.3) in Tomcat 9. A-SC-29: that it compares in a time that tells
    something is the receiver's affair."""
    needs("javac")
    jars = [Path(f"/usr/share/java/{name}.jar") for name in (*JARS, *TOMCAT, *TOMCAT_TOO)]
    if missing := [jar.name for jar in jars if not jar.exists()]:
        pytest.skip(f"needs {', '.join(missing)}")
    program = startcap_page(SECTION, "import org.springframework.web.bind.annotation.*;", "return result.toString();")
    program = program.replace("your_webhook_secret_here", sender.secret)
    (tmp_path / "WebhookController.java").write_text(program + "}\n}\n", encoding="utf-8")
    (tmp_path / "Main.java").write_text(MAIN, encoding="utf-8")
    path = ":".join(map(str, (tmp_path, *jars)))
    compiled = subprocess.run(
        ["javac", "--release", "9", "-nowarn", "-cp", path, "Main.java", "WebhookController.java"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr
    command = ["java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", path, "Main"]
    check_source_page(sender, running, tmp_path, command, port=free_port)
