#include "process/rseq_section.h"

#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "process/remote_ptr.h"

namespace ckpt {

namespace {

// struct rseq and struct rseq_cs of linux/rseq.h.
constexpr uint64_t kRseqCsOffset = 8;
struct RseqCs {
  uint32_t version;
  uint32_t flags;
  uint64_t start_ip;
  uint64_t post_commit_offset;
  uint64_t abort_ip;
};

}  // namespace

Result<> AbortRseqSection(const Tracee& thread, const RemoteMemory& memory,
                          const RseqConfiguration& configuration) {
  if (configuration.abi_pointer == 0) return success();
  const RemotePtr pointer(configuration.abi_pointer + kRseqCsOffset);
  CKPT_TRY(const uint64_t section_address, memory.ReadObject<uint64_t>(pointer));
  if (section_address == 0) return success();
  CKPT_TRY(const RseqCs section, memory.ReadObject<RseqCs>(RemotePtr(section_address)));
  CKPT_TRY(user_regs_struct registers, thread.GetRegisters());
  if (registers.rip - section.start_ip >= section.post_commit_offset) return success();
  registers.rip = section.abort_ip;
  CKPT_TRY(thread.SetRegisters(registers));
  constexpr uint64_t kNoSection = 0;
  return memory.Write(pointer, std::as_bytes(std::span(&kNoSection, 1)));
}

}  // namespace ckpt
