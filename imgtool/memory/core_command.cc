#include "imgtool/memory/core_command.h"

#include <boost/program_options/value_semantic.hpp>
#include <string>
#include <vector>

#include "imgtool/dump_input.h"
#include "imgtool/memory/core_file.h"
#include "imgtool/memory/dumped_process.h"
#include "imgtool/memory/process_memory.h"

namespace ckpt {

namespace po = boost::program_options;

void AddCoreOptions(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                        "the core; needed");
  AddInputOptions(options);
}

Result<int> RunCore(const Invocation& invocation) {
  if (invocation.options.count("output") == 0) {
    return MakeError(ErrorCode::kUsage, "no -o FILE given");
  }
  CKPT_TRY(const uint32_t pid, ParsePid(invocation.operands[1]));
  CKPT_TRY(const DumpInput input,
           DumpInput::Open(invocation.operands[0], invocation, NeedsMemoryImages));
  CKPT_TRY(const std::vector<DumpDirectory> chain, input.OpenChain());
  CKPT_TRY(DumpedProcess process, ReadDumpedProcess(chain.front(), pid));
  CKPT_TRY(const auto threads, ReadThreads(chain.front(), process));
  CKPT_TRY(const ProcessMemory memory, ProcessMemory::Open(chain, std::move(process)));
  CKPT_TRY(WriteCoreFile(memory, threads, invocation.options["output"].as<std::string>()));
  return kExitDone;
}

}  // namespace ckpt
