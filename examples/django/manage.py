#!/usr/bin/env python3
import os
import pathlib
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    # The client is the one of examples/python. In a project of your own: copy sendonce.py beside manage.py.
    sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
