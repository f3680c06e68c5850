// What is in the registers of a task that is stopped in the middle of user code: general ones, x87,
// MXCSR, and the 16 of AVX, or with AVX-512 the 32 vectors and the mask registers. One thread holds
// them and spins, the other waits for the word to go on.
#include <stdint.h>
#include <string.h>

#include <string>
#include <thread>

#include "tests/programs/program.h"

namespace ckpt {
namespace {

struct alignas(64) Registers {
  uint8_t vectors[32][64];  // 32 bytes each are used without AVX-512
  uint64_t masks[8];        // k0-k7
  double x87[4];            // st(0)-st(3)
  uint64_t general[6];      // rbx, rbp, r12-r15
  uint32_t mxcsr;
  uint16_t x87_control;
};

}  // namespace

// Both: (in, out, holding, go): save what the ABI asks for, load all of *in, set *holding to 1,
// spin until *go is not 0, store all to *out, put back.
extern "C" void HoldAvx(const Registers* in, Registers* out, volatile int* holding,
                        const volatile int* go);
extern "C" void HoldAvx512(const Registers* in, Registers* out, volatile int* holding,
                           const volatile int* go);

// Offsets in Registers: masks 2048, x87 2112, general 2144, mxcsr 2192, x87_control 2196.
static_assert(offsetof(Registers, masks) == 2048 && offsetof(Registers, x87) == 2112 &&
              offsetof(Registers, general) == 2144 && offsetof(Registers, mxcsr) == 2192 &&
              offsetof(Registers, x87_control) == 2196);

asm(R"(
  .macro ENTER
    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
    sub $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    ldmxcsr 2192(%rdi)
    fninit
    fldcw 2196(%rdi)
    fldl 2136(%rdi); fldl 2128(%rdi); fldl 2120(%rdi); fldl 2112(%rdi)
    mov 2144(%rdi), %rbx; mov 2152(%rdi), %rbp; mov 2160(%rdi), %r12
    mov 2168(%rdi), %r13; mov 2176(%rdi), %r14; mov 2184(%rdi), %r15
  .endm
  .macro SPIN
    movl $1, (%rdx)
  1: cmpl $0, (%rcx)
    je 1b
  .endm
  .macro LEAVE
    mov %rbx, 2144(%rsi); mov %rbp, 2152(%rsi); mov %r12, 2160(%rsi)
    mov %r13, 2168(%rsi); mov %r14, 2176(%rsi); mov %r15, 2184(%rsi)
    stmxcsr 2192(%rsi)
    fnstcw 2196(%rsi)
    fstpl 2112(%rsi); fstpl 2120(%rsi); fstpl 2128(%rsi); fstpl 2136(%rsi)
    fninit
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    vzeroupper
    add $8, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
    ret
  .endm
  .text
  .globl HoldAvx
HoldAvx:
  ENTER
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vmovdqu \n*64(%rdi), %ymm\n
  .endr
  SPIN
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vmovdqu %ymm\n, \n*64(%rsi)
  .endr
  LEAVE
  .globl HoldAvx512
HoldAvx512:
  ENTER
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqu64 \n*64(%rdi), %zmm\n
  .endr
  .irp n, 0,1,2,3,4,5,6,7
    kmovq 2048+\n*8(%rdi), %k\n
  .endr
  SPIN
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqu64 %zmm\n, \n*64(%rsi)
  .endr
  .irp n, 0,1,2,3,4,5,6,7
    kmovq %k\n, 2048+\n*8(%rsi)
  .endr
  LEAVE
)");

namespace {

Registers Pattern(bool wide) {
  Registers pattern = {};
  for (int n = 0; n < (wide ? 32 : 16); ++n) {
    for (int byte = 0; byte < (wide ? 64 : 32); ++byte) {
      pattern.vectors[n][byte] = static_cast<uint8_t>(n * 7 + byte * 3 + 1);
    }
  }
  for (uint64_t n = 0; n < 8; ++n) {
    if (wide) pattern.masks[n] = 0x0123456789abcdefu * (n + 1);
  }
  for (int n = 0; n < 4; ++n) pattern.x87[n] = 1.5 + n;
  for (uint64_t n = 0; n < 6; ++n) pattern.general[n] = 0xfedcba9876543210u + n;
  pattern.mxcsr = 0x7f80;        // all exceptions masked, round towards zero
  pattern.x87_control = 0x0c7f;  // the same, 24 bits of precision
  return pattern;
}

void ExpectVectors(const Registers& now, const Registers& then) {
  for (int n = 0; n < 32; ++n) {
    const std::string text = "vector register " + std::to_string(n);
    Expect(memcmp(now.vectors[n], then.vectors[n], 64) == 0, text.c_str(), __LINE__);
  }
  for (int n = 0; n < 8; ++n) EXPECT_EQUAL(now.masks[n], then.masks[n]);
}

void ExpectRegisters(const Registers& now, const Registers& then) {
  ExpectVectors(now, then);
  for (int n = 0; n < 4; ++n) EXPECT(now.x87[n] == then.x87[n]);
  for (int n = 0; n < 6; ++n) EXPECT_EQUAL(now.general[n], then.general[n]);
  EXPECT_EQUAL(now.mxcsr, then.mxcsr);
  EXPECT_EQUAL(now.x87_control, then.x87_control);
}

void Run() {
  const bool wide = __builtin_cpu_supports("avx512bw") != 0;
  REQUIRE(__builtin_cpu_supports("avx") != 0);
  const Registers in = Pattern(wide);
  Registers out = {};
  volatile int holding = 0;
  volatile int go = 0;
  std::thread holder([&] { (wide ? HoldAvx512 : HoldAvx)(&in, &out, &holding, &go); });
  while (holding == 0) {
  }
  ReadyAndAwaitGo();
  go = 1;
  holder.join();
  ExpectRegisters(out, in);
}

}  // namespace
}  // namespace ckpt

int main(int argc, char** argv) {
  ckpt::Begin(argc, argv);
  ckpt::Run();
  ckpt::Finish();
}
