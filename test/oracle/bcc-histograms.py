# Prints histograms as bcc prints them, one JSON line for each: {"kind", "unit", "slots", "lines"}. Takes the folder of
# Debian's python3-bpfcc, unpacked. bcc's library is not loaded: printing needs nothing of it.
#     apt-get download python3-bpfcc && dpkg -x python3-bpfcc_*.deb DIR
#     python3 test/oracle/bcc-histograms.py DIR >test/testdata/histograms/bcc.jsonl
import contextlib
import importlib.util
import io
import json
import random
import sys
import types

folder = sys.argv[1] + '/usr/lib/python3/dist-packages/bcc'


def stand_in(name, **names):
    module = types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module
    return module


stand_in('bcc').__path__ = [folder]
libbcc = ['lib', '_RAW_CB_TYPE', '_LOST_CB_TYPE', '_RINGBUF_CB_TYPE', 'bcc_perf_buffer_opts']
stand_in('bcc.libbcc', **dict.fromkeys(libbcc))
stand_in('bcc.utils', get_online_cpus=None, get_possible_cpus=None)
spec = importlib.util.spec_from_file_location('bcc.table', folder + '/table.py')
table = importlib.util.module_from_spec(spec)
sys.modules['bcc.table'] = table
spec.loader.exec_module(table)


def printed(kind, unit, slots):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if kind == 'log2':
            # Its first slot is of no value.
            table._print_log2_hist([0] + slots, unit, False)
        else:
            table._print_linear_hist(slots, unit, False)
    return {'kind': kind, 'unit': unit, 'slots': slots, 'lines': out.getvalue().splitlines()}


chance = random.Random(5)
for case in range(45):
    kind = 'log2' if case % 3 else 'linear'
    count = chance.choice([1, 2, 5, 12, 31, 32, 33, 34, 40, 63]) if kind == 'log2' else chance.choice([1, 3, 9, 30])
    most = chance.choice([1, 3, 40, 41, 1000, 2**31, 2**40])
    slots = [chance.choice([0, 0, chance.randint(0, most)]) for _ in range(count)]
    unit = chance.choice(['usecs', 'nsecs', 'msecs', 'runqlen', 'a unit with a long name'])
    print(json.dumps(printed(kind, unit, slots)))
