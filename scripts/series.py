#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 or MIT
"""Write a series of patches, each a commit in a git repository of its own:

series.py write TREE DRIVER OUT VERSION BENCH
    TREE is the kernel tree of make tree, DRIVER the unmodified driver. OUT gets goal (the
    files that the series leads to), base (the same paths before it), patches, and tree
    (the kernel tree for builds, with a driver of its own). BENCH is the bench.json of make
    bench; it may be missing.
series.py prune DRIVER
    Drop from Makefile.pgtable and Kconfig.pgtable what has no source file in DRIVER.
"""
import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

TEXTS = Path(__file__).resolve().parent / 'series.d'
PANTHOR = 'drivers/gpu/drm/panthor'
PAGES = 'Documentation/gpu/drivers.rst'
# Paths of the overlay.
OURS = (PANTHOR, 'tools/testing/panthor', 'tools/testing/selftests/drivers/gpu/panthor')
# What is only for this repository: the unmodified driver, the benchmark, the commands.
LEFT_OUT = (f'{PANTHOR}/upstream/*', f'{PANTHOR}/*.upstream', f'{PANTHOR}/*.bench',
            f'{PANTHOR}/tests/panthor_bench*', 'tools/testing/panthor/init.c',
            'tools/testing/panthor/boot-init')
# Lines that scripts/tree appends to the driver's Kconfig and Makefile.
HOOK = re.compile(r'\n\n?(?:source "\S+/panthor/(\S+)"|include \$\(src\)/(\S+)|'
                  r'obj-\S+ \+= (vmali/))(?=\n)')
ENTRY = 'ARM MALI PANTHOR PAGE TABLES'
ENTRY_FILES = ('Documentation/gpu/panthor-pgtable*.rst', 'Documentation/gpu/panthor-vmali.rst',
               f'{PANTHOR}/Kconfig.pgtable', f'{PANTHOR}/Makefile.pgtable',
               f'{PANTHOR}/panthor_pgtable*', f'{PANTHOR}/tests/', f'{PANTHOR}/vmali/',
               'tools/testing/panthor/', 'tools/testing/selftests/drivers/gpu/panthor/')
# Cases of the benchmark that the cover letter shows.
CASES = ('4k-random', '4k-missing', '64k', '2m-scattered', '2m-pages', '2m-block',
         '64m-scattered', '1g-blocks')
PEERS = {'io-pgtable': 'io-pgtable', 'generic_pt': 'generic_pt', 'ours': 'this'}


def tidy(text):
    return re.sub(r'\n{3,}', '\n\n', text).rstrip('\n') + '\n'


def prune(driver):
    """Drop objects without source, then symbols without objects."""
    makefile, kconfig = driver / 'Makefile.pgtable', driver / 'Kconfig.pgtable'
    text = makefile.read_text()
    objects = re.compile(r'^panthor-\$\(CONFIG_(\w+)\) \+= (\S+)\.o\n', re.M)
    symbols = {symbol for symbol, _ in objects.findall(text)}
    text = objects.sub(lambda m: m[0] if (driver / f'{m[2]}.c').exists() else '', text)
    makefile.write_text(tidy(text))
    gone = symbols - {symbol for symbol, _ in objects.findall(text)}

    text = kconfig.read_text()
    for symbol in gone:
        text = re.sub(rf'^config {symbol}\n(\t.*\n|\n(?=\t))+\n?|^\tdefault {symbol}\n', '', text,
                      flags=re.M)
    # A choice between nothing.
    text = re.sub(r'^choice\n(\t.*\n|\n)*endchoice\n', '', text, flags=re.M)
    kconfig.write_text(tidy(text))


class Series:
    """The files of the overlay in a kernel tree, and the patches that bring them."""

    def __init__(self, tree, driver, out, version, bench):
        self.tree, self.driver, self.out = Path(tree), Path(driver), Path(out)
        self.version, self.bench = version, Path(bench)
        files = [file.relative_to(tree) for top in OURS for file in self.tree.joinpath(top).rglob('*')
                 if file.is_file()]
        files += [file.relative_to(tree) for file in self.tree.glob('Documentation/gpu/panthor-*.rst')]
        self.files = [file for file in files if not any(fnmatch(file, glob) for glob in LEFT_OUT)]

    def steps(self):
        """The names of the patches, each with the files that it brings."""
        steps = {path.stem: [] for path in sorted(TEXTS.glob('[0-9]*.msg'))
                 if re.fullmatch('[0-9]+-[a-z-]+', path.stem)}
        table = [line.split() for line in TEXTS.joinpath('steps').read_text().splitlines()
                 if not line.startswith('#')]
        for file in self.files:
            found = [step for step, glob in table if fnmatch(file, glob)]
            if self.driver.joinpath(file.name).exists() and file.parent == Path(PANTHOR):
                found = ['06-switch']
            if not found:
                sys.exit(f'{file} is in no patch: add it to {TEXTS}/steps')
            steps[found[-1]].append(file)
        for step, glob in table:
            if not any(fnmatch(file, glob) for file in self.files):
                sys.exit(f'{TEXTS}/steps: {step} brings no {glob}')
        return steps

    def lay_base(self, dest):
        """The unmodified files that the patches touch."""
        shutil.copytree(self.driver, dest / PANTHOR)
        for file in ('MAINTAINERS', PAGES):
            dest.joinpath(file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.tree / file, dest / file)

    def lay(self, dest, files, switched, maintained):
        """Bring files, and adapt what has to name them."""
        for file in files:
            dest.joinpath(file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.tree / file, dest / file)
        driver = dest / PANTHOR
        for name in ('Kconfig', 'Makefile'):
            text = self.tree.joinpath(PANTHOR, name).read_text()
            if not switched:
                hooks = ''.join(match[0] for match in HOOK.finditer(text))
                text = self.driver.joinpath(name).read_text().rstrip('\n') + hooks + '\n'
            driver.joinpath(name).write_text(HOOK.sub(
                lambda match: match[0] if (driver / match[match.lastindex]).exists() else '', text))
        if driver.joinpath('Kconfig.pgtable').exists():
            for name in ('Kconfig.pgtable', 'Makefile.pgtable'):
                text = self.tree.joinpath(PANTHOR, name).read_text()
                driver.joinpath(name).write_text(text.replace(' if !DRM_PANTHOR_UPSTREAM\n', '\n'))
            prune(driver)
        if driver.joinpath('tests').exists():
            self.one_kernel(driver / 'tests/panthor_tvm_kernel.h')
        self.add_pages(dest)
        if maintained:
            self.maintain(dest)

    def one_kernel(self, header):
        """Drop what is for other kernels, as unifdef of the kernel tree does."""
        unifdef = self.out / 'unifdef'
        if not unifdef.exists():
            subprocess.run(['gcc', '-w', '-o', unifdef, self.tree / 'scripts/unifdef.c'], check=True)
        text = subprocess.run([unifdef, '-B', f'-DLINUX_VERSION_MAJOR={self.version.split(".")[0]}',
                               header], check=False, text=True, stdout=subprocess.PIPE).stdout
        text = text.replace('#include <linux/version.h>\n\n', '')
        if 'LINUX_VERSION' in text:
            sys.exit(f'{header} is for more than one kernel')
        header.write_text(text)

    def add_pages(self, dest):
        """List our pages after that of the driver, if there is one."""
        pages = ''.join(f'   {page.stem}\n' for page in sorted(dest.glob('Documentation/gpu/panthor-*.rst')))
        text = self.tree.joinpath(PAGES).read_text()
        text, found = re.subn(r'^   panfrost\n(   panthor\n)?', lambda match: match[0] + pages, text,
                              flags=re.M)
        if not found:
            sys.exit(f'{self.tree / PAGES} has no line panfrost to put our pages after')
        dest.joinpath(PAGES).write_text(text)

    def maintain(self, dest):
        """An entry in MAINTAINERS, in alphabetical order."""
        who = subprocess.run(['git', 'var', 'GIT_AUTHOR_IDENT'], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
        entry = (f'{ENTRY}\nM:\t{who[:who.index(">") + 1]}\n'
                 'L:\tdri-devel@lists.freedesktop.org\nS:\tMaintained\n' +
                 ''.join(f'F:\t{glob}\n' for glob in ENTRY_FILES if any(dest.glob(glob))) + '\n')
        text = self.tree.joinpath('MAINTAINERS').read_text()
        start = text.index('\nMaintainers List')
        place = next(match.end(1) for match in re.finditer(r'(\n\n)(.+)\n[A-Z]:\t', text)
                     if match.start() > start and match[2] > ENTRY)
        dest.joinpath('MAINTAINERS').write_text(text[:place] + entry + text[place:])

    def write(self):
        """All of OUT."""
        repo = self.out / 'repo'

        def git(*args):
            subprocess.run(['git', '-C', repo, *args], check=True)

        for name in ('base', 'goal', 'repo'):
            self.lay_base(self.out / name)
        self.lay(self.out / 'goal', self.files, True, True)
        self.link_tree(self.out / 'tree')
        git('init', '-q', '-b', 'series')
        git('add', '-Af')
        git('commit', '-qm', f'Linux {self.version}')
        git('tag', 'base')
        kernel = '.'.join(self.version.split('.')[:2])
        for step, files in self.steps().items():
            self.lay(repo, files, step >= '06-switch', step >= '09-maintainers')
            message = TEXTS / f'{step}-{kernel}.msg'
            git('add', '-Af')
            git('commit', '-qsF', message if message.exists() else TEXTS / f'{step}.msg')
        # With "auto", the first paragraph of the description would not be the subject.
        git('config', 'branch.series.description', self.cover())
        git('format-patch', '-q', '--cover-letter', '--cover-from-description=subject',
            '--no-signature', '--zero-commit', '-o', self.out / 'patches', 'base')

    def link_tree(self, dest):
        """The kernel tree, all links but for the driver."""
        here = Path()
        for part in Path(PANTHOR).parts:
            dest.joinpath(here).mkdir(parents=True)
            for entry in self.tree.joinpath(here).iterdir():
                if entry.name != part:
                    dest.joinpath(here, entry.name).symlink_to(entry)
            here /= part
        # scripts/tree adds the benchmark to these.
        for name in ('Kconfig', 'Makefile'):
            file = dest.joinpath(PANTHOR).parent / name
            text = re.sub(r'.*panthor.*bench.*\n', '', file.read_text(), flags=re.I)
            file.unlink()
            file.write_text(text)

    def cover(self):
        """The text of the cover letter."""
        figures = ('Times depend on the machine: "make bench" of the repository measures them,\n'
                   'in turns with io-pgtable-arm and generic_pt.')
        if self.bench.exists():
            figures = self.figures(json.loads(self.bench.read_text()))
        text = TEXTS.joinpath('cover.msg').read_text()
        return text.replace('@FIGURES@', figures).replace('@VERSION@', self.version)

    @staticmethod
    def figures(info):
        """What make bench has measured."""
        words = info['compiler'].split()
        text = (f'Times in ns, p10 / median of {info["samples"]} samples, Linux {info["kernel"]} on User\n'
                f'Mode Linux, {words[0]} {words[-1]} {info["options"]}, coherent walker. Ratios only.\n')
        for call in ('map', 'unmap'):
            rows = {case['title']: case['times_ns'][call]['coherent']
                    for name, case in info['cases'].items() if name in CASES and call in case['times_ns']}
            peers = [peer for peer in PEERS if all(peer in times for times in rows.values())]
            text += f'\n  {call:<29}' + ''.join(f'{PEERS[peer]:>16}' for peer in peers) + '\n'
            for title, times in rows.items():
                cells = [f'{times[peer]["p10"]:.0f} / {times[peer]["median"]:.0f}' for peer in peers]
                text += f'  {title:<29}' + ''.join(f'{cell:>16}' for cell in cells) + '\n'
        return text.rstrip('\n')


def main():
    if sys.argv[1:2] == ['write'] and len(sys.argv) == 7:
        Series(*sys.argv[2:]).write()
    elif sys.argv[1:2] == ['prune'] and len(sys.argv) == 3:
        prune(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main()
