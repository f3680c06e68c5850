// The loop that a task runs to make a batch of system calls: position independent, no stack, no
// libc. It is copied into the task's scratch area by RemoteSyscalls.
//
//   rbx  the first SyscallRecord (process/syscall_batch.h)     rbp  a signal number
//   r12  the end of the last one
//
// After the last call, or the first that fails and has stop_on_error set, the task sends itself the
// signal by tgkill: an ordinary signal, so that no handler is reset, as the SIGTRAP that an int3
// forces would do to a task that ignores or blocks it.

#include <sys/syscall.h>

        .section .rodata
        .balign 16
        .globl ckpt_batch_loop_start
        .globl ckpt_batch_loop_end
ckpt_batch_loop_start:
        cmpq    %r12, %rbx
        jae     2f
        movq    0(%rbx), %rax
        movq    8(%rbx), %rdi
        movq    16(%rbx), %rsi
        movq    24(%rbx), %rdx
        movq    32(%rbx), %r10
        movq    40(%rbx), %r8
        movq    48(%rbx), %r9
        syscall
        movq    %rax, 56(%rbx)
        movq    64(%rbx), %rcx
        testq   %rcx, %rcx
        jz      1f
        movq    %rax, (%rcx)
1:      movq    72(%rbx), %rcx
        addq    $80, %rbx
        testq   %rcx, %rcx
        jz      ckpt_batch_loop_start
        cmpq    $-4096, %rax
        jbe     ckpt_batch_loop_start
2:      movl    $SYS_getpid, %eax
        syscall
        movl    %eax, %r13d
        movl    $SYS_gettid, %eax
        syscall
        movl    %r13d, %edi
        movl    %eax, %esi
        movl    %ebp, %edx
        movl    $SYS_tgkill, %eax
        syscall
        jmp     2b
ckpt_batch_loop_end:

        .section .note.GNU-stack, "", @progbits
