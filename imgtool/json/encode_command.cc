#include "imgtool/json/encode_command.h"

#include <fcntl.h>

#include <boost/program_options/value_semantic.hpp>
#include <string>

#include "base/file.h"
#include "formats/byte_source.h"
#include "formats/image_from_json.h"
#include "formats/ordered_work.h"
#include "formats/write_behind.h"
#include "imgtool/dump_input.h"

namespace ckpt {
namespace {

constexpr mode_t kImageMode = 0644;

Result<std::string> InputOperand(const Invocation& invocation) {
  const bool has_option = invocation.options.count("in") > 0;
  if (has_option && !invocation.operands.empty()) {
    return MakeError(ErrorCode::kUsage, "the JSON is given both as an operand and by -i");
  }
  if (has_option) return invocation.options["in"].as<std::string>();
  return invocation.operands.empty() ? std::string(kStandardInput) : invocation.operands[0];
}

Result<> Encode(const std::string& name, ByteSource& json, const std::string& path) {
  CKPT_TRY(StagedFile image, StagedFile::Create(path, kImageMode));
  WriteBehind out([&image](Bytes bytes) { return image.Write(bytes); });
  CKPT_TRY(WriteImageFromJson(
      name, json, [&out](Bytes bytes) { return out.Write(bytes); }, OrderedWork::DefaultThreads()));
  CKPT_TRY(out.Finish());
  return image.Commit();
}

}  // namespace

void AddEncodeOptions(boost::program_options::options_description& options) {
  namespace po = boost::program_options;
  options.add_options()("in,i", po::value<std::string>()->value_name("JSON"),
                        "the JSON, as crit has it")  //
      ("out,o", po::value<std::string>()->value_name("OUT"), "the image");
}

Result<int> RunEncode(const Invocation& invocation) {
  CKPT_TRY(const std::string operand, InputOperand(invocation));
  if (invocation.options.count("out") == 0) {
    return MakeError(ErrorCode::kUsage, "-o OUT is to be given");
  }
  const auto& out = invocation.options["out"].as<std::string>();
  if (operand == kStandardInput) {
    StreamSource source(invocation.streams.in, "standard input");
    CKPT_TRY(Encode("standard input", source, out));
    return kExitDone;
  }
  CKPT_TRY(const UniqueFd fd, OpenFile(operand, O_RDONLY));
  DescriptorSource source(fd.get(), operand);
  CKPT_TRY(Encode(operand, source, out));
  return kExitDone;
}

}  // namespace ckpt
