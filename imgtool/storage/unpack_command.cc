#include "imgtool/storage/unpack_command.h"

#include <fmt/ostream.h>
#include <sys/stat.h>

#include <boost/program_options/value_semantic.hpp>
#include <ostream>
#include <string>

#include "imgtool/archive_limits.h"
#include "imgtool/archive_reader.h"
#include "imgtool/dump_input.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/input_source.h"
#include "imgtool/storage/unpacked_archive.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

Result<InputSource> SourceOf(const Invocation& invocation) {
  const std::string& operand = invocation.operands[0];
  if (operand == kStandardInput) {
    return InputSource::OfStream(invocation.streams.in, "standard input");
  }
  struct stat status {};
  if (stat(operand.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return MakeError(ErrorCode::kUsage, "{}: a directory, not an archive", operand);
  }
  return InputSource::OfFile(operand);
}

Result<std::string> PlaceOfDirectory(const std::string& out) {
  CKPT_TRY(std::string real_out, RealPathOfNew(out));
  struct stat status {};
  if (lstat(real_out.c_str(), &status) == 0) {
    return MakeError(ErrorCode::kUsage, "{} exists already", out);
  }
  CKPT_TRY(RecoverDump(real_out));
  return real_out;
}

}  // namespace

void AddUnpackOptions(po::options_description& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("DIR"),
                        "the new directory; needed");
  AddInputOptions(options);
}

Result<int> RunUnpack(const Invocation& invocation) {
  if (invocation.options.count("output") == 0) {
    return MakeError(ErrorCode::kUsage, "no name for the directory given: -o DIR");
  }
  const auto out = invocation.options["output"].as<std::string>();
  CKPT_TRY(InputSource source, SourceOf(invocation));
  CKPT_TRY(const auto reader, ArchiveReader::Open(source, ReadArchiveLimits(invocation.options)));
  CKPT_TRY(const std::string place, PlaceOfDirectory(out));
  CKPT_TRY(DumpTransaction transaction, DumpTransaction::BeginDirectory(place));
  CKPT_TRY(const UnpackedArchive unpacked, UnpackArchive(*reader, transaction.staging_path()));
  CKPT_TRY(transaction.CommitNew());
  fmt::print(invocation.streams.out, "{}: {} members, {} bytes unpacked\n", out,
             unpacked.member_count, unpacked.size_bytes);
  return kExitDone;
}

}  // namespace ckpt
