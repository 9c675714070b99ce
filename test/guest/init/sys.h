/* Raw system calls of four architectures, by the names this init uses. No libc. */
#pragma once

typedef long word;

#if defined(__x86_64__)
enum { NR_read = 0, NR_write = 1, NR_close = 3, NR_mmap = 9, NR_rt_sigaction = 13, NR_ioctl = 16, NR_getppid = 110,
       NR_exit = 60, NR_wait4 = 61, NR_mkdirat = 258, NR_mount = 165, NR_reboot = 169, NR_sched_setaffinity = 203,
       NR_openat = 257, NR_clone = 56, NR_execve = 59, NR_clock_gettime = 228, NR_getpid = 39, NR_sched_yield = 24,
       NR_prctl = 157, NR_gettid = 186, NR_setuid = 105, NR_setgid = 106 };
static inline word sys6(word n, word a, word b, word c, word d, word e, word f)
{
	word r;
	register word r10 __asm__("r10") = d;
	register word r8 __asm__("r8") = e;
	register word r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#define BREAKPOINT() __asm__ volatile("int3" ::: "memory")
/* What a handler of SIGTRAP does to its ucontext so that the program goes on: int3 leaves the pc behind itself. */
static inline void skip_breakpoint(void *context) { (void)context; }
__asm__(".globl restorer\nrestorer: mov $15, %eax\n syscall\n");
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call init_main\n");
#define SA_RESTORER 0x04000000ul

#elif defined(__i386__)
enum { NR_read = 3, NR_write = 4, NR_close = 6, NR_mmap = 192, NR_rt_sigaction = 174, NR_ioctl = 54, NR_getppid = 64,
       NR_exit = 1, NR_wait4 = 114, NR_mkdirat = 296, NR_mount = 21, NR_reboot = 88, NR_sched_setaffinity = 241,
       NR_openat = 295, NR_clone = 120, NR_execve = 11, NR_clock_gettime = 265, NR_getpid = 20, NR_sched_yield = 158,
       NR_prctl = 172, NR_gettid = 224, NR_setuid = 213, NR_setgid = 214 };
/* Six arguments need ebp, and there is no register left for the number: both go through the stack. */
word sys6(word n, word a, word b, word c, word d, word e, word f);
__asm__("sys6: push %ebx\n push %esi\n push %edi\n push %ebp\n"
	" mov 20(%esp), %eax\n mov 24(%esp), %ebx\n mov 28(%esp), %ecx\n mov 32(%esp), %edx\n"
	" mov 36(%esp), %esi\n mov 40(%esp), %edi\n mov 44(%esp), %ebp\n int $0x80\n"
	" pop %ebp\n pop %edi\n pop %esi\n pop %ebx\n ret\n");
#define BREAKPOINT() __asm__ volatile("int3" ::: "memory")
static inline void skip_breakpoint(void *context) { (void)context; }
__asm__(".globl restorer\nrestorer: mov $173, %eax\n int $0x80\n");
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call init_main\n");
#define SA_RESTORER 0x04000000ul

#else /* the table that new architectures share */
enum { NR_read = 63, NR_write = 64, NR_close = 57, NR_mmap = 222, NR_rt_sigaction = 134, NR_ioctl = 29, NR_getppid = 173,
       NR_exit = 93, NR_wait4 = 260, NR_mkdirat = 34, NR_mount = 40, NR_reboot = 142, NR_sched_setaffinity = 122,
       NR_openat = 56, NR_clone = 220, NR_execve = 221, NR_clock_gettime = 113, NR_getpid = 172, NR_sched_yield = 124,
       NR_prctl = 167, NR_gettid = 178, NR_setuid = 146, NR_setgid = 144 };
#define SA_RESTORER 0ul
static void *const restorer = 0;
#if defined(__aarch64__)
static inline word sys6(word n, word a, word b, word c, word d, word e, word f)
{
	register word x8 __asm__("x8") = n;
	register word x0 __asm__("x0") = a;
	register word x1 __asm__("x1") = b;
	register word x2 __asm__("x2") = c;
	register word x3 __asm__("x3") = d;
	register word x4 __asm__("x4") = e;
	register word x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#define BREAKPOINT() __asm__ volatile("brk #0" ::: "memory")
/* pc of the sigcontext in struct ucontext */
static inline void skip_breakpoint(void *context) { *(unsigned long *)((char *)context + 440) += 4; }
__asm__(".globl _start\n_start: mov x29, xzr\n mov x0, sp\n bl init_main\n");
#elif defined(__riscv)
static inline word sys6(word n, word a, word b, word c, word d, word e, word f)
{
	register word a7 __asm__("a7") = n;
	register word a0 __asm__("a0") = a;
	register word a1 __asm__("a1") = b;
	register word a2 __asm__("a2") = c;
	register word a3 __asm__("a3") = d;
	register word a4 __asm__("a4") = e;
	register word a5 __asm__("a5") = f;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
	return a0;
}
#define BREAKPOINT() __asm__ volatile(".option push\n.option norvc\nebreak\n.option pop" ::: "memory")
static inline void skip_breakpoint(void *context) { *(unsigned long *)((char *)context + 176) += 4; }
__asm__(".globl _start\n_start: li s0, 0\n mv a0, sp\n call init_main\n");
#else
#error "no system calls known for this architecture"
#endif
#endif

#if defined(__x86_64__) || defined(__i386__)
extern char restorer[];
#endif

#define sys(n, a, b, c, d) sys6(n, (word)(a), (word)(b), (word)(c), (word)(d), 0, 0)

enum { AT_FDCWD = -100, O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_APPEND = 02000, O_TRUNC = 01000, SIGTRAP = 5,
       SIGCHLD = 17, PROT_RW = 3, MAP_SHARED_ANON = 0x21 };
