"""A mail catcher with a page to read what was sent: SMTP in, IMAP and HTTP out."""

import email
import email.policy
import imaplib
import sys
from email.message import EmailMessage

from dev import ports
from dev.servers.base import LOOPBACK, Server

USER = "test@example.org"


class Mail(Server):
    """All messages, whoever they are for, arrive in one mailbox, which is kept in memory."""

    name = "mail"
    port_names = ("mail", "smtp", "imap")

    @property
    def url(self) -> str:
        """The page with the messages."""
        return f"http://{LOOPBACK}:{self.ports['mail']}"

    @property
    def smtp_url(self) -> str:
        """Where services send their mail to, in the form of django-environ."""
        return f"smtp://{LOOPBACK}:{self.ports['smtp']}"

    def launch(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        numbers = [f"--http-port={self.ports['mail']}", f"--smtp-port={self.ports['smtp']}"]
        command = [sys.executable, "-m", "mail_devel", "--host", LOOPBACK, *numbers]
        environment = {"MAIL_PASSWORD": self.secrets.get("mail")}
        self.process.start(
            [*command, f"--imap-port={self.ports['imap']}", f"--user={USER}"], env=environment, cwd=self.directory
        )

    def ready(self) -> bool:
        return all(ports.answers(port) for port in self.ports.values())

    def messages(self) -> list[EmailMessage]:
        """All messages received, oldest first."""
        with imaplib.IMAP4(LOOPBACK, self.ports["imap"], timeout=10) as client:
            client.login(USER, self.secrets.get("mail"))
            client.select("INBOX", readonly=True)
            _, [numbers] = client.search(None, "ALL")
            return [self._read(client, number) for number in numbers.split()]

    @staticmethod
    def _read(client: imaplib.IMAP4, number: bytes) -> EmailMessage:
        _, parts = client.fetch(number.decode(), "(RFC822)")
        raw = next(part[1] for part in parts if isinstance(part, tuple))
        return email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
