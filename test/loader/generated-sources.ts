import { sectionDefinitions } from '../../src/loader/section-definitions.js';

/** An object that is compiled for the tests: its name and C. */
export interface GeneratedSource {
  readonly name: string;
  readonly source: string;
}

const HEAD = '#include "bpf.h"\n';
const FOOT = '\nchar LICENSE[] SEC("license") = "GPL";\n';

const source = (name: string, body: string): GeneratedSource => ({
  name: name.replaceAll(/[^A-Za-z0-9]+/g, '_'),
  source: `${HEAD}${body}${FOOT}`,
});

/** Targets for section names that take one; what the kernel has to know is in every kernel. */
const TARGETS: Readonly<Record<string, string>> = {
  tracepoint: 'sched/sched_switch',
  tp: 'sched/sched_switch',
  tp_btf: 'sched_switch',
  usdt: '/bin/true:provider:name',
  uprobe: '/bin/true:main+0x4',
  uretprobe: '/bin/true:main',
  iter: 'task',
  lsm: 'file_open',
  lsm_cgroup: 'socket_bind',
  struct_ops: 'init',
  freplace: 'handle',
};

const targetOf = (prefix: string): string => {
  const kind = prefix.replace(/\.s$/, '');
  if (kind.includes('uprobe.') || kind.includes('uretprobe.')) return '/bin/true:ma*';
  return TARGETS[kind] ?? (kind.includes('multi') || kind.includes('session') ? 'vfs_*' : 'vfs_read');
};

const program = (section: string, name = 'program'): string =>
  `SEC("${section}") int ${name}(void *ctx) { sink++; return 0; }\nu64 sink;\n`;

/** Every kind of section: alone, and with a target where it takes one. `uprobe.session` came with libbpf 1.6. */
export const sectionSources: readonly GeneratedSource[] = sectionDefinitions
  .filter(({ prefix }) => !prefix.startsWith('uprobe.session'))
  .flatMap(({ prefix, extras }) => {
    const alone = source(`section ${prefix}`, program(prefix));
    return extras ? [alone, source(`section ${prefix} target`, program(`${prefix}/${targetOf(prefix)}`))] : [alone];
  });

const map = (name: string, fields: string, before = '', after = ''): GeneratedSource =>
  source(
    `map ${name}`,
    `${before}
struct { ${fields} } made SEC(".maps")${after};
u64 sink;
SEC("raw_tp/sched_switch") int program(void *ctx) { u32 key = 0; sink = (u64)map_lookup_elem(&made, &key); return 0; }
`,
  );

const KEYED = 'NUMBER(type, HASH); NUMBER(max_entries, 10);';
function table(name: string, section: string, fields: string, more = ''): GeneratedSource {
  return source(
    `table ${name}`,
    `struct sock; struct some_ops { u64 limit; int (*init)(struct sock *sk); u32 flags; u32 bits : 3; u32 (*ssthresh)(struct sock *sk); u16 ratio[3]; char name[16]; void *owner; };
SEC("struct_ops/init") int init(u64 *ctx) { return 1; }
SEC("struct_ops/ssthresh") u32 ssthresh(u64 *ctx) { return ctx[0]; }
SEC("${section}") struct some_ops table = { ${fields} };
${more}\n`,
  );
}

const INNER = 'struct inner { NUMBER(type, ARRAY); NUMBER(max_entries, 1); TYPE(key, u32); TYPE(value, u64); };';

/** Tables of functions, filled with programs and data. */
export const tableSources: readonly GeneratedSource[] = [
  table('plain', '.struct_ops', '.init = (void *)init, .name = "plain", .flags = 0x12, .limit = 1ull << 40'),
  table('link', '.struct_ops.link', '.init = (void *)init, .ssthresh = (void *)ssthresh, .name = "link"'),
  table('not by itself', '?.struct_ops.link', '.ssthresh = (void *)ssthresh, .bits = 5, .ratio = { 1, 2, 3 }'),
  table('empty', '.struct_ops', '.name = ""'),
  table(
    'two',
    '.struct_ops',
    '.init = (void *)init, .name = "first"',
    'SEC(".struct_ops.link") struct some_ops other = { .ssthresh = (void *)ssthresh, .limit = 7 };',
  ),
];

/** Every style of map definition. */
export const mapSources: readonly GeneratedSource[] = [
  map('types', `${KEYED} TYPE(key, u32); TYPE(value, u64);`),
  map('sizes', `${KEYED} NUMBER(key_size, 4); NUMBER(value_size, 8);`),
  map('types and sizes', `${KEYED} TYPE(key, u32); NUMBER(key_size, 4); NUMBER(value_size, 8); TYPE(value, u64);`),
  map(
    'struct types',
    `${KEYED} TYPE(key, struct k); TYPE(value, struct v);`,
    'struct k { u32 a, b; }; struct v { u64 c[3]; };',
  ),
  map(
    'typedef types',
    `${KEYED} TYPE(key, k_t); TYPE(value, v_t);`,
    'typedef u32 k_t; typedef struct { u64 c[3]; } v_t;',
  ),
  map('arrays', `${KEYED} TYPE(key, k_t); TYPE(value, v_t);`, 'typedef u8 k_t[16]; typedef u64 v_t[4];'),
  map(
    'unions and enums',
    `${KEYED} TYPE(key, enum e); TYPE(value, union u);`,
    'enum e { A, B }; union u { u64 a; u8 b[13]; };',
  ),
  map('flags', `${KEYED} NUMBER(map_flags, 1); TYPE(key, u32); TYPE(value, u64);`),
  map('pinned', `${KEYED} NUMBER(pinning, 1); TYPE(key, u32); TYPE(value, u64);`),
  map('not pinned', `${KEYED} NUMBER(pinning, 0); TYPE(key, u32); TYPE(value, u64);`),
  map('numa node', `${KEYED} NUMBER(numa_node, 0); TYPE(key, u32); TYPE(value, u64);`),
  map('extra', 'NUMBER(type, 30); NUMBER(max_entries, 10); NUMBER(map_extra, 3); NUMBER(value_size, 4);'),
  map('numa node by flag', `${KEYED} NUMBER(map_flags, 4); NUMBER(numa_node, 2); TYPE(key, u32); TYPE(value, u64);`),
  map(
    'extra of 64 bits',
    'NUMBER(type, 30); NUMBER(max_entries, 10); enum { EXTRA = 5 } map_extra; NUMBER(value_size, 4);',
  ),
  map('no sizes', 'NUMBER(type, RINGBUF); NUMBER(max_entries, 4096);'),
  map('odd ring', 'NUMBER(type, RINGBUF); NUMBER(max_entries, 5000);'),
  map('user ring', 'NUMBER(type, 31); NUMBER(max_entries, 1);'),
  map('no entries', 'NUMBER(type, PERF_EVENT_ARRAY); NUMBER(key_size, 4); NUMBER(value_size, 4);'),
  source(
    'map typedef',
    `typedef struct { NUMBER(type, HASH); NUMBER(max_entries, 7); TYPE(key, u32); TYPE(value, u64); } made_t;
made_t made SEC(".maps"); u64 sink;
SEC("raw_tp/sched_switch") int program(void *ctx) { u32 key = 0; sink = (u64)map_lookup_elem(&made, &key); return 0; }\n`,
  ),
  source(
    'map two of one struct',
    `struct { NUMBER(type, HASH); NUMBER(max_entries, 7); TYPE(key, u32); TYPE(value, u64); } one SEC(".maps"), two SEC(".maps");
u64 sink;
SEC("raw_tp/sched_switch") int program(void *ctx) { u32 key = 0; sink = (u64)map_lookup_elem(&one, &key) + (u64)map_lookup_elem(&two, &key); return 0; }\n`,
  ),
  ...[5, 6, 8, 10, 11, 14, 15, 16, 17, 18, 20, 22, 23, 25].map((type) =>
    map(`type ${type}`, `NUMBER(type, ${type}); NUMBER(max_entries, 8); NUMBER(key_size, 4); NUMBER(value_size, 4);`),
  ),
  map(
    'array of maps',
    'NUMBER(type, ARRAY_OF_MAPS); NUMBER(max_entries, 2); TYPE(key, u32); struct inner *values[];',
    INNER,
  ),
  map(
    'hash of maps',
    'NUMBER(type, HASH_OF_MAPS); NUMBER(max_entries, 2); TYPE(key, u32); struct inner *values[];',
    INNER,
  ),
  map(
    'maps with values',
    'NUMBER(type, ARRAY_OF_MAPS); NUMBER(max_entries, 2); TYPE(key, u32); struct inner *values[];',
    `${INNER} struct inner first SEC(".maps"), last SEC(".maps");`,
    ' = { .values = { &first, &last } }',
  ),
  map(
    'maps by size',
    'NUMBER(type, ARRAY_OF_MAPS); NUMBER(max_entries, 2); NUMBER(key_size, 4); NUMBER(value_size, 4);',
  ),
  map('programs', 'NUMBER(type, PROG_ARRAY); NUMBER(max_entries, 2); NUMBER(key_size, 4); NUMBER(value_size, 4);'),
  map(
    'programs with values',
    'NUMBER(type, PROG_ARRAY); NUMBER(max_entries, 2); NUMBER(key_size, 4); int (*values[])(void *ctx);',
    'int other(void *ctx);',
    ' = { .values = { [1] = other } }; SEC("raw_tp/sys_enter") int other(void *ctx) { return 1; } int unused',
  ),
];

const extern = (name: string, declaration: string, use: string): GeneratedSource =>
  source(
    `extern ${name}`,
    `enum libbpf_tristate { TRI_NO, TRI_YES, TRI_MODULE };
struct task_struct; struct rq;
${declaration}
u64 sink;
SEC("raw_tp/sched_switch") int program(void *ctx) { ${use} return 0; }
`,
  );

/** A configuration that has something of every kind. */
export const KCONFIG = `# comment
CONFIG_BOOL=y
CONFIG_OFF=n
CONFIG_MODULE=m
CONFIG_NUMBER=250
CONFIG_HEX=0xffff
CONFIG_OCTAL=017
CONFIG_NEGATIVE=-7
CONFIG_TEXT="some text"
CONFIG_EMPTY=""
# CONFIG_UNSET is not set
`;

const kconfig = (name: string, type: string, symbol: string, suffix = ''): GeneratedSource =>
  extern(
    `kconfig ${name}`,
    `extern ${type} ${symbol}${suffix} KCONFIG;`,
    suffix.startsWith('[') ? `sink = ${symbol}[0];` : `sink = ${symbol};`,
  );

/** Every kind of extern, there and absent. */
export const externSources: readonly GeneratedSource[] = [
  kconfig('bool', 'bool', 'CONFIG_BOOL'),
  kconfig('bool off', 'bool', 'CONFIG_OFF'),
  kconfig('bool of a module', 'bool', 'CONFIG_MODULE'),
  kconfig('tristate', 'enum libbpf_tristate', 'CONFIG_MODULE'),
  kconfig('tristate yes', 'enum libbpf_tristate', 'CONFIG_BOOL'),
  kconfig('char', 'char', 'CONFIG_BOOL'),
  kconfig('int', 'int', 'CONFIG_NUMBER'),
  kconfig('short', 'unsigned short', 'CONFIG_HEX'),
  kconfig('signed short', 'short', 'CONFIG_HEX'),
  kconfig('u64', 'unsigned long long', 'CONFIG_OCTAL'),
  kconfig('negative', 'int', 'CONFIG_NEGATIVE'),
  kconfig('negative unsigned', 'unsigned int', 'CONFIG_NEGATIVE'),
  kconfig('small char', 'signed char', 'CONFIG_NEGATIVE'),
  kconfig('too large', 'unsigned char', 'CONFIG_HEX'),
  kconfig('number as bool', 'bool', 'CONFIG_NUMBER'),
  kconfig('text', 'char', 'CONFIG_TEXT', '[16]'),
  kconfig('text cut', 'char', 'CONFIG_TEXT', '[5]'),
  kconfig('empty text', 'char', 'CONFIG_EMPTY', '[4]'),
  kconfig('text as int', 'int', 'CONFIG_TEXT'),
  kconfig('letter as text', 'char', 'CONFIG_BOOL', '[4]'),
  kconfig('unset', 'int', 'CONFIG_UNSET'),
  kconfig('unset weak', 'int', 'CONFIG_UNSET', ' WEAK'),
  kconfig('version', 'int', 'LINUX_KERNEL_VERSION'),
  kconfig('unknown virtual', 'int', 'LINUX_NO_SUCH'),
  kconfig('unknown virtual weak', 'int', 'LINUX_NO_SUCH', ' WEAK'),
  kconfig('no prefix', 'int', 'NO_PREFIX', ' WEAK'),
  extern('kconfig float', 'extern float CONFIG_NUMBER KCONFIG;', 'sink = *(u32 *)&CONFIG_NUMBER;'),
  extern('ksym address', 'extern const void vfs_read KSYM;', 'sink = (u64)&vfs_read;'),
  extern('ksym address absent', 'extern const void no_such_symbol KSYM;', 'sink = (u64)&no_such_symbol;'),
  extern('ksym address weak', 'extern const void no_such_symbol KSYM WEAK;', 'sink = (u64)&no_such_symbol;'),
  extern('ksym variable', 'extern const int bpf_prog_active KSYM;', 'sink = bpf_prog_active;'),
  extern('ksym variable absent', 'extern const int no_such_variable KSYM;', 'sink = no_such_variable;'),
  extern(
    'ksym variable weak',
    'extern const int no_such_variable KSYM WEAK;',
    'if (&no_such_variable) sink = no_such_variable;',
  ),
  extern(
    'ksym variable of another type',
    'extern const struct rq bpf_prog_active KSYM;',
    'sink = (u64)&bpf_prog_active;',
  ),
  extern('kfunc', 'extern void bpf_rcu_read_lock(void) KSYM;', 'bpf_rcu_read_lock();'),
  extern('kfunc absent', 'extern void no_such_function(void) KSYM;', 'no_such_function();'),
  extern('kfunc weak', 'extern void no_such_function(void) KSYM WEAK;', 'if (no_such_function) no_such_function();'),
  extern('kfunc flavour', 'extern void bpf_rcu_read_lock___new(void) KSYM;', 'bpf_rcu_read_lock___new();'),
  extern(
    'kfunc of another type',
    'extern long bpf_rcu_read_lock(int a, int b) KSYM;',
    'sink = bpf_rcu_read_lock(1, 2);',
  ),
  extern(
    'kfunc of another type weak',
    'extern long bpf_rcu_read_lock(int a, int b) KSYM WEAK;',
    'if (bpf_rcu_read_lock) sink = bpf_rcu_read_lock(1, 2);',
  ),
];

const data = (name: string, body: string, use: string): GeneratedSource =>
  source(
    `data ${name}`,
    `${body}\nu64 sink;\nSEC("raw_tp/sched_switch") int program(void *ctx) { ${use} return 0; }\n`,
  );

/** Data sections, several programs to a section, switches. */
export const dataSources: readonly GeneratedSource[] = [
  data(
    'custom sections',
    'int a SEC(".data.mine") = 1; const volatile int b SEC(".rodata.mine") = 2; int c SEC(".bss.mine");',
    'sink = a + b + c;',
  ),
  data('dots', 'int a SEC(".data.mine.and.more") = 1;', 'sink = a++;'),
  data('aligned', 'struct { u64 x; } __attribute__((aligned(64))) a = { 3 }; u8 pad = 1;', 'sink = a.x + pad;'),
  data(
    'static',
    'static volatile int a = 5; static volatile const int b = 6; static volatile int c;',
    'sink = a + b + c; c = 1;',
  ),
  data('hidden', 'int a HIDDEN = 5;', 'sink = a;'),
  data('weak', 'int a WEAK = 5;', 'sink = a;'),
  data('strings', '', 'char text[] = "a long string that lies in read-only data"; trace_printk(text, sizeof(text));'),
  source(
    'data callbacks',
    'u64 sink;\nstatic int call(u32 i, void *ctx) { sink += i; return 0; }\nSEC("raw_tp/sched_switch") int program(void *ctx) { loop(3, call, (void *)0, 0); return 0; }\n',
  ),
  source(
    'programs several to a section',
    `u64 sink;
SEC("raw_tp/sched_switch") int one(void *ctx) { sink = 1; return 0; }
SEC("raw_tp/sched_switch") int two(void *ctx) { sink = 2; return 0; }
SEC("?raw_tp/sched_switch") int three(void *ctx) { sink = 3; return 0; }
SEC("?raw_tp/sched_switch") int four(void *ctx) { sink = 4; return 0; }\n`,
  ),
  source(
    'programs with subprograms',
    `u64 sink;
NOINLINE int global(int a) { return a + (int)sink; }
static NOINLINE int local(int a) { return a * (int)sink; }
SEC("raw_tp/sched_switch") int one(void *ctx) { return global(1) + local(2); }
SEC("raw_tp/sys_enter") int two(void *ctx) { return local(3); }\n`,
  ),
  source('programs weak', 'u64 sink;\nSEC("raw_tp/sched_switch") WEAK int one(void *ctx) { sink = 1; return 0; }\n'),
  source('programs unknown section', program('no_such_section')),
];
