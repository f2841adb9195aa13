"""`manage.py send_mail --loop` on the mail server at `MAIL_PORT`, with little patience."""

import os

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    django.setup()
    settings.MAIL_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(os.environ["MAIL_PORT"])
    settings.EMAIL_TIMEOUT = 1

    from clusters.management.commands import send_mail

    send_mail.PAUSE = send_mail.FIRST_PAUSE = send_mail.LONGEST_PAUSE = 0.2
    call_command("send_mail", "--loop")


if __name__ == "__main__":
    main()
