#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 or MIT
"""Read what a kernel printed:

log.py complaints LOG [REGEXP]  lines that no kernel may print, each with the line after
                                it; warnings whose message matches REGEXP are expected.
                                Fails if there is none.
log.py tap LOG PROGRAM...       for each client: passed, failed, skipped, name, note
log.py compare FORK IOPGT       the workload's report in two logs, side by side
"""
import re
import sys

COMPLAINT = re.compile(r'WARNING: |BUG: |INFO: (possible|task|rcu|lockdep)|UBSAN: |Oops|Kernel panic|'
                       r'unreferenced object|panthor-boot: |vmali: judge: ')
# The judge's own tests make it report mistakes.
ACCEPTED = 'vmali: judge: test: '
# The driver of 6.12, unmodified too, warns when it resets the GPU while a group has no
# slot. That is no mistake, and the driver of 7.3 does not warn. A host that does not run
# the machine for 100 ms is enough for a reset.
EXCUSED = 'drm_WARN_ON(!list_empty(&sched->groups.runnable[i]))'


def read(path):
    with open(path, encoding='utf-8', errors='replace') as log:
        return log.read().splitlines()


def is_complaint(line):
    return COMPLAINT.search(line) and ACCEPTED not in line


def complaints(log, expected='$.'):
    lines = ['', *read(log), '']
    found = False
    for before, line, after in zip(lines, lines[1:], lines[2:]):
        # The message follows a warning; on arm64 it precedes it.
        if not is_complaint(line):
            continue
        if 'WARNING: ' in line and (EXCUSED in after or re.search(expected, after) or
                                    re.search(expected, before)):
            continue
        found = True
        print(line)
        if after and not is_complaint(after):
            print(after)
    return found


def tap(log, *programs):
    """A client that ends early, or runs more or fewer cases than planned, fails once more."""
    lines = [match.groups() for line in read(log)
             if (match := re.search(r'panthor-(test|init): ([a-z_]+): (.*)', line))]
    for program in programs:
        said = [text for who, name, text in lines if (who, name) == ('test', program)]
        ends = [text for who, name, text in lines if (who, name) == ('init', program)]
        plan = sum(int(text[3:]) for text in said if re.fullmatch(r'1\.\.\d+', text))
        skipped = sum(bool(re.match(r'ok \d+.*# SKIP', text)) for text in said)
        passed = sum(bool(re.match(r'ok \d', text)) for text in said) - skipped
        failed = sum(bool(re.match(r'not ok \d', text)) for text in said)
        end = ends[-1] if ends else 'did not run'
        note = ''
        if not end.startswith('status '):
            note = end
        elif plan != passed + failed + skipped:
            note = f'planned {plan} cases, ran {passed + failed + skipped}'
        elif not passed or not failed and not end.startswith('status 0'):
            note = end
        if note and not failed:
            failed = 1
        print(passed, failed, skipped, program, note or end.split(' after ')[-1])
    return True


def report(log):
    """The workload's report: a number for each name. Names are nested by one level."""
    rows, group = {}, ''
    for line in read(log):
        text = re.sub('.*panthor-workload: ?', '', line)
        fields = re.split('  +', text.strip())
        if text == line:
            continue
        name, *values = fields
        if not text.startswith(' '):
            group = name
        elif len(fields) == 2:
            name = f'{group}, {name}'
        if len(fields) not in (2, 5):
            continue
        # Times: calls, mean size, p10, median.
        name, value = (name, values[0]) if len(fields) == 2 else (f'{name}, p10 ns', values[2])
        if value.split()[0].isdigit():
            rows[name] = int(value.split()[0])
    return rows


def compare(fork_log, iopgt_log):
    fork, iopgt = report(fork_log), report(iopgt_log)
    differing = [name for name in fork if name in iopgt and fork[name] != iopgt[name]]
    print(f'  {"":54}{"fork":>10}{"io-pgtable":>12}{"ratio":>8}')
    for name in differing:
        ratio = f'{iopgt[name] / fork[name]:.2f}' if fork[name] else '-'
        print(f'  {name:54}{fork[name]:>10}{iopgt[name]:>12}{ratio:>8}')
    return bool(differing)


def main():
    commands = {'complaints': complaints, 'tap': tap, 'compare': compare}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(not commands[sys.argv[1]](*sys.argv[2:]))


if __name__ == '__main__':
    main()
