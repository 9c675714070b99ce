/** One system call: its number and the arguments Linux declares, `type name` each. */
export interface SyscallEntry {
  readonly number: number;
  readonly name: string;
  readonly args: readonly string[];
}

function call(number: number, name: string, ...args: string[]): SyscallEntry {
  return { number, name, args };
}

/** The system calls of the simulated kernel with the prototypes of Linux 6.1. */
export const syscallTable: readonly SyscallEntry[] = [
  call(0, 'read', 'unsigned int fd', 'char * buf', 'size_t count'),
  call(1, 'write', 'unsigned int fd', 'const char * buf', 'size_t count'),
  call(2, 'open', 'const char * filename', 'int flags', 'umode_t mode'),
  call(3, 'close', 'unsigned int fd'),
  call(4, 'newstat', 'const char * filename', 'struct stat * statbuf'),
  call(5, 'newfstat', 'unsigned int fd', 'struct stat * statbuf'),
  call(8, 'lseek', 'unsigned int fd', 'off_t offset', 'unsigned int whence'),
  call(
    9,
    'mmap',
    'unsigned long addr',
    'unsigned long len',
    'unsigned long prot',
    'unsigned long flags',
    'unsigned long fd',
    'unsigned long off',
  ),
  call(11, 'munmap', 'unsigned long addr', 'size_t len'),
  call(12, 'brk', 'unsigned long brk'),
  call(13, 'rt_sigaction', 'int sig', 'const struct sigaction * act', 'struct sigaction * oact', 'size_t sigsetsize'),
  call(14, 'rt_sigprocmask', 'int how', 'sigset_t * nset', 'sigset_t * oset', 'size_t sigsetsize'),
  call(15, 'rt_sigreturn'),
  call(24, 'sched_yield'),
  call(28, 'madvise', 'unsigned long start', 'size_t len_in', 'int behavior'),
  call(34, 'pause'),
  call(35, 'nanosleep', 'struct __kernel_timespec * rqtp', 'struct __kernel_timespec * rmtp'),
  call(39, 'getpid'),
  call(41, 'socket', 'int family', 'int type', 'int protocol'),
  call(42, 'connect', 'int fd', 'struct sockaddr * uservaddr', 'int addrlen'),
  call(43, 'accept', 'int fd', 'struct sockaddr * upeer_sockaddr', 'int * upeer_addrlen'),
  call(
    44,
    'sendto',
    'int fd',
    'void * buff',
    'size_t len',
    'unsigned int flags',
    'struct sockaddr * addr',
    'int addr_len',
  ),
  call(
    45,
    'recvfrom',
    'int fd',
    'void * ubuf',
    'size_t size',
    'unsigned int flags',
    'struct sockaddr * addr',
    'int * addr_len',
  ),
  call(49, 'bind', 'int fd', 'struct sockaddr * umyaddr', 'int addrlen'),
  call(50, 'listen', 'int fd', 'int backlog'),
  call(
    56,
    'clone',
    'unsigned long clone_flags',
    'unsigned long newsp',
    'int * parent_tidptr',
    'int * child_tidptr',
    'unsigned long tls',
  ),
  call(57, 'fork'),
  call(59, 'execve', 'const char * filename', 'const char *const * argv', 'const char *const * envp'),
  call(60, 'exit', 'int error_code'),
  call(61, 'wait4', 'pid_t upid', 'int * stat_addr', 'int options', 'struct rusage * ru'),
  call(62, 'kill', 'pid_t pid', 'int sig'),
  call(74, 'fsync', 'unsigned int fd'),
  call(83, 'mkdir', 'const char * pathname', 'umode_t mode'),
  call(87, 'unlink', 'const char * pathname'),
  call(110, 'getppid'),
  call(186, 'gettid'),
  call(200, 'tkill', 'pid_t pid', 'int sig'),
  call(219, 'restart_syscall'),
  call(221, 'fadvise64', 'int fd', 'loff_t offset', 'size_t len', 'int advice'),
  call(228, 'clock_gettime', 'const clockid_t which_clock', 'struct __kernel_timespec * tp'),
  call(231, 'exit_group', 'int error_code'),
  call(234, 'tgkill', 'pid_t tgid', 'pid_t pid', 'int sig'),
  call(257, 'openat', 'int dfd', 'const char * filename', 'int flags', 'umode_t mode'),
  call(263, 'unlinkat', 'int dfd', 'const char * pathname', 'int flag'),
];
