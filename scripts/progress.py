#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 or MIT
"""Show how far a kernel build is: progress.py STEPS OBJDIR LOG < what make prints

STEPS is about what a build from nothing prints. Output of make passes to the
log, one line of progress to the screen.
"""
import os
import re
import shutil
import sys
import time

STEP = re.compile(r'  ([A-Z][A-Z0-9]*(?: \[M\])?) +(\S+)$')
PERIOD = 10  # seconds between lines where there is no terminal


def steps_done(objdir):
    """A step leaves a .cmd file: a build that was interrupted goes on there."""
    return sum(name.startswith('.') and name.endswith('.cmd')
               for _, _, names in os.walk(objdir) for name in names)


def main():
    total, objdir, log = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    done = steps_done(objdir)
    whole = done < total * 0.9
    if not whole:
        done = 0
    tty = sys.stdout.isatty()
    shown = time.monotonic()
    with open(log, 'w', encoding='utf-8', errors='replace') as out:
        for line in sys.stdin:
            out.write(line)
            step = STEP.match(line)
            if not step:
                continue
            done += 1
            total = max(total, done)
            text = f'[{done:5}{f"/{total:5}" if whole else ""}] {step[1]} {step[2]}'
            if tty:
                width = shutil.get_terminal_size().columns - 3
                print(f'\r  {text[:width]}\033[K', end='', flush=True)
            elif time.monotonic() - shown > PERIOD:
                shown = time.monotonic()
                print(f'  {text}', flush=True)
    if tty:
        print('\r\033[K', end='', flush=True)


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
