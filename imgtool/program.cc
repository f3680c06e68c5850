#include "imgtool/program.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <exception>
#include <istream>
#include <new>
#include <ostream>
#include <span>
#include <vector>

#include "imgtool/descriptor_stream.h"
#include "imgtool/dump_transaction.h"
#include "imgtool/help_text.h"
#include "imgtool/shown_text_stream.h"

namespace ckpt {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kOperandsName = "operand";

int ExitCode(ErrorCode code) { return static_cast<int>(code); }

int UsageError(std::string_view place, std::string_view message, const Streams& streams) {
  fmt::print(streams.err, "{}: {} (try {} --help)\n", place, message, place);
  return ExitCode(ErrorCode::kUsage);
}

po::variables_map ParseCommandLine(const Command& command, std::span<const std::string> args) {
  po::options_description all = OwnOptions(command);
  all.add_options()(kOperandsName.data(), po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add(kOperandsName.data(), -1);
  // A shortened option today is an ambiguous one after the next release.
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  po::variables_map values;
  po::store(po::command_line_parser(std::vector<std::string>(args.begin(), args.end()))
                .options(all)
                .positional(positional)
                .style(style)
                .run(),
            values);
  po::notify(values);
  return values;
}

std::vector<std::string> Operands(const po::variables_map& values) {
  const std::string name(kOperandsName);
  return values.count(name) > 0 ? values[name].as<std::vector<std::string>>()
                                : std::vector<std::string>();
}

// A rewrite that was killed is finished or rolled back by whatever is run on the dump next.
void Recover(const std::string& dump, std::string_view place, const Streams& streams) {
  const auto done = RecoverDump(dump);
  if (done.has_error()) {
    fmt::print(streams.err, "{}: warning: {}\n", place, done.error().message);
  } else if (done.value()) {
    fmt::print(streams.err, "{}: {}\n", place, *done.value());
  }
}

int RunCommand(const Command& command, std::span<const std::string> args, const Streams& streams) {
  const std::string place = fmt::format("imgtool {}", command.name);
  po::variables_map values;
  try {
    values = ParseCommandLine(command, args);
  } catch (const po::error& error) {
    return UsageError(place, error.what(), streams);
  }
  if (values.count("help") > 0) {
    PrintHelp(command, streams.out);
    return kExitDone;
  }
  const std::vector<std::string> operands = Operands(values);
  if (operands.size() < command.min_operands) {
    return UsageError(place, fmt::format("no {} given", command.operands), streams);
  }
  if (operands.size() > command.max_operands) {
    return UsageError(
        place,
        fmt::format("{} operands given, at most {} allowed", operands.size(), command.max_operands),
        streams);
  }
  const size_t dumps = std::min(command.dump_operands, operands.size());
  for (const std::string& dump : std::span(operands).first(dumps)) Recover(dump, place, streams);
  const std::string dump_option(command.dump_option);
  if (!dump_option.empty() && values.count(dump_option) > 0) {
    Recover(values[dump_option].as<std::string>(), place, streams);
  }
  const Result<int> code = command.run({values, operands, streams});
  if (code) return code.value();
  fmt::print(streams.err, "{}: {}\n", place, code.error().message);
  return ExitCode(code.error().code);
}

int Dispatch(std::span<const std::string> args, const Streams& streams) {
  if (args.empty()) return UsageError("imgtool", "no command given", streams);
  if (args[0] == "--help" || args[0] == "-h") {
    PrintOverview(streams.out);
    return kExitDone;
  }
  if (args[0] == "--version") {
    fmt::print(streams.out, "{}\n", kImgtoolVersion);
    return kExitDone;
  }
  const Command* const command = FindCommand(args[0]);
  if (command == nullptr) {
    return UsageError("imgtool", fmt::format("unknown command '{}'", args[0]), streams);
  }
  return RunCommand(*command, args.subspan(1), streams);
}

}  // namespace

int RunImgtool(std::span<const std::string> args, Streams streams) {
  ShownTextBuffer buffer(streams.err);
  std::ostream messages(&buffer);
  try {
    return Dispatch(args, {streams.in, streams.out, messages});
  } catch (const std::bad_alloc&) {
    fmt::print(messages, "imgtool: out of memory\n");
    return ExitCode(ErrorCode::kSystem);
  } catch (const std::exception& error) {
    fmt::print(messages, "imgtool: unexpected exception: {}\n", error.what());
    return ExitCode(ErrorCode::kInternal);
  }
}

int RunImgtoolOnDescriptors(std::span<const std::string> args, int in, int out, int err) {
  DescriptorBuffer in_buffer(in);
  DescriptorBuffer out_buffer(out);
  DescriptorBuffer err_buffer(err);
  std::istream in_stream(&in_buffer);
  std::ostream out_stream(&out_buffer);
  std::ostream err_stream(&err_buffer);
  err_stream << std::unitbuf;
  const int code = RunImgtool(args, {in_stream, out_stream, err_stream});
  out_stream.flush();
  if (out_buffer.error_number() == 0) return code;
  if (out_buffer.error_number() == EPIPE) return kExitDone;
  const Error error = ErrnoError(out_buffer.error_number(), "write(standard output)");
  fmt::print(err_stream, "imgtool: {}\n", error.message);
  return ExitCode(error.code);
}

}  // namespace ckpt
