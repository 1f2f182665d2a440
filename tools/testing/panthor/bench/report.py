#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 or MIT
"""Show what was counted: report.py --tree=KTREE --cc=CC DIRECTORY

Joins the workloads (workloads.tsv, from the benchmark) with their counts
(callgrind.out), prints a table and writes bench.json, both into DIRECTORY.
"""
import argparse
import json
import os
import re
import subprocess
import sys

FIELDS = ('id', 'title', 'kind', 'mode', 'descriptors', 'per_call', 'per_descriptor',
          'goal_call', 'goal_descriptor')
SUBJECTS = ('limit', 'limit_checked', 'iopgt', 'ours')
NOTES = '''\
Instructions, without those of counting. ratio: io-pgtable-arm / ours.
  limit      a loop that stores the same descriptors into tables that are there
  + checks   with a walk for each table and a look at each entry
  io-pgtable-arm   with the driver's loop: a call for each scatter list entry and table.
             Its reservations are the slab path (modelled), which costs more in a kernel
  ours       map: panthor_pgtable_map_sgt(), reserved before, uncounted. A table that is
             covered whole comes from the reservation, where io-pgtable finds it in the tree.
             unmap: with panthor_pgtable_flushed(). reserve: and unreserve
  nc         the walker does not snoop: a nop for each line cleaned'''


def read_counts(path):
    """Instructions by (workload, subject, mode)."""
    counts, label = {}, None
    with open(path, encoding='utf-8') as file:
        for line in file:
            found = re.match(r'desc: Trigger: Client Request: (\w+):(\w+):(\w+)$', line)
            if found:
                label = found.groups()
            found = re.match(r'summary: (\d+)$', line)
            if found and label:
                counts[label] = int(found[1])
                label = None
    return counts


def read_workloads(path):
    with open(path, encoding='utf-8') as file:
        for line in file:
            values = line.rstrip('\n').split('\t')
            yield {name: int(value) if value.isdigit() else value
                   for name, value in zip(FIELDS, values, strict=True)}


def measure(workload, counts):
    """Instructions of one call, by subject, less what counting costs."""
    cost = counts[workload['kind'], 'null', 'coherent']
    found = {}
    for subject in SUBJECTS:
        count = counts.get((workload['id'], subject, workload['mode']))
        if count is None:
            if workload['kind'] == 'reserve' and subject.startswith('limit'):
                continue
            sys.exit(f'report: no count of {workload["id"]} for {subject}')
        if count <= cost:
            sys.exit(f'report: nothing was counted of {workload["id"]} for {subject}')
        found[subject] = count - cost
    return found


def rows(workloads, counts):
    for workload in workloads:
        calls = measure(workload, counts)
        for unit, size in ('descriptor', workload['descriptors']), ('call', 1):
            if not workload[f'per_{unit}']:
                continue
            goal = workload[f'goal_{unit}'] if workload['mode'] == 'coherent' else 0
            row = {'id': workload['id'], 'workload': workload['title'],
                   'kind': workload['kind'], 'coherent': workload['mode'] == 'coherent',
                   'unit': unit, 'descriptors': workload['descriptors'], 'goal': goal or None,
                   'instructions': {name: count / size for name, count in calls.items()}}
            row['ratio'] = calls['iopgt'] / calls['ours']
            row['reached'] = row['instructions']['ours'] <= goal if goal else None
            yield row


def number(value, unit):
    if value is None:
        return '-'
    return f'{value:.1f}' if unit == 'descriptor' and value < 1000 else f'{value:.0f}'


def table(found):
    head = ('workload', 'per', 'goal', 'limit', '+ checks', 'io-pgtable-arm', 'ours', 'ratio', '')
    lines = [head]
    for row in found:
        title = row['workload'] + ('' if row['coherent'] else ', nc')
        reached = {None: '', True: 'reached', False: 'NOT reached'}[row['reached']]
        lines.append((title, row['unit'], str(row['goal'] or '-'),
                      *(number(row['instructions'].get(name), row['unit']) for name in SUBJECTS),
                      f'{row["ratio"]:{".2f" if row["ratio"] >= 0.1 else ".2g"}}', reached))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print('  '.join(text.ljust(width) if i in (0, 1, 8) else text.rjust(width)
                        for i, (text, width) in enumerate(zip(line, widths))).rstrip())


def kernel_version(tree):
    with open(os.path.join(tree, 'Makefile'), encoding='utf-8') as file:
        found = dict(re.findall(r'^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)$', file.read(), re.M))
    return '.'.join(found.get(name, '?') for name in ('VERSION', 'PATCHLEVEL', 'SUBLEVEL'))


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split('\n')[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--tree', required=True)
    parser.add_argument('--cc', required=True)
    parser.add_argument('directory')
    args = parser.parse_args()

    counts = read_counts(os.path.join(args.directory, 'callgrind.out'))
    found = list(rows(read_workloads(os.path.join(args.directory, 'workloads.tsv')), counts))
    result = {
        'kernel': kernel_version(args.tree),
        'compiler': first_line(*args.cc.split(), '--version'),
        'valgrind': first_line('valgrind', '--version'),
        'machine': os.uname().machine,
        'goals': sum(row['reached'] is not None for row in found),
        'reached': sum(row['reached'] is True for row in found),
        'rows': found,
    }
    path = os.path.join(args.directory, 'bench.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(result, file, indent='\t')
        file.write('\n')

    print(f'io-pgtable-arm of Linux {result["kernel"]}, {result["compiler"]} -O2, '
          f'{result["machine"]}\n')
    table(found)
    print(f'\n{NOTES}\n\n{result["reached"]} of {result["goals"]} goals reached; {path}')


if __name__ == '__main__':
    main()
