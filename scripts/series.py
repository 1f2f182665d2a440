#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 or MIT
"""Texts of make series:

series.py step DIR            what the Makefile and Kconfig of the library in DIR may
                              name when only some of its files are there
series.py figures JSON        a table of what make bench has measured
"""
import json
import os
import re
import sys

# Cases of the benchmark that the cover letter shows.
CASES = ('4k-random', '4k-missing', '64k', '2m-scattered', '2m-pages', '2m-block',
         '64m-scattered', '1g-blocks')
PEERS = ('io-pgtable', 'generic_pt', 'ours')
OBJECTS = re.compile(r'^panthor-\$\((CONFIG_\w+)\) \+= \\\n((?:\t\S+(?: \\)?\n)+)', re.M)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def step(directory):
    """Leave out objects whose source comes later, and symbols that have no other use."""
    def there(obj):
        return os.path.exists(os.path.join(directory, obj[:-2] + '.c'))

    empty = []

    def objects(match):
        names = [name for name in match[2].replace('\\', '').split() if there(name)]
        if names:
            return f'panthor-$({match[1]}) += \\\n\t' + ' \\\n\t'.join(names) + '\n'
        empty.append(match[1].removeprefix('CONFIG_'))
        return ''

    makefile = os.path.join(directory, 'Makefile.pgtable')
    text = OBJECTS.sub(objects, read(makefile))
    write(makefile, re.sub(r'\n{3,}', '\n\n', text).rstrip('\n') + '\n')

    kconfig = os.path.join(directory, 'Kconfig.pgtable')
    text = read(kconfig)
    for symbol in empty:
        # The library itself is there from the start.
        if symbol != 'DRM_PANTHOR_PGTABLE' and f'$(CONFIG_{symbol})' not in read(makefile):
            text = re.sub(rf'^config {symbol}\n(?:\t.*\n|\n(?=\t))+\n?', '', text, flags=re.M)
    # A choice between nothing.
    text = re.sub(r'^choice\n(?:\t.*\n|\n)*endchoice\n+', '', text, flags=re.M)
    write(kconfig, text.rstrip('\n') + '\n')


def figures(path):
    info = json.loads(read(path))
    peers = [p for p in PEERS if any(p in c['times_ns'].get('map', {}).get('coherent', {})
                                     for c in info['cases'].values())]
    print(f'Times in ns, p10 / median of {info["samples"]} samples, Linux {info["kernel"]} on User')
    print(f'Mode Linux, {info["compiler"].split(" ", 1)[0]} {info["compiler"].split()[-1]}'
          f' {info["options"]}, coherent walker. Ratios only.')
    for call in ('map', 'unmap'):
        print(f'\n  {call:<29}' + ''.join(f'{p.replace("ours", "this"):>16}' for p in peers))
        for name in CASES:
            case = info['cases'].get(name)
            times = case and case['times_ns'].get(call, {}).get('coherent', {})
            if not times or not all(p in times for p in peers):
                continue
            print(f'  {case["title"]:<29}' +
                  ''.join(f'{times[p]["p10"]:.0f} / {times[p]["median"]:.0f}'.rjust(16)
                          for p in peers))


def main():
    commands = {'step': step, 'figures': figures}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](sys.argv[2])


if __name__ == '__main__':
    main()
