#include "imgtool/explore/x_command.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <memory>
#include <vector>

#include "imgtool/dump_input.h"
#include "imgtool/explore/fds_view.h"
#include "imgtool/explore/mems_view.h"
#include "imgtool/explore/mounts_view.h"
#include "imgtool/explore/ps_view.h"
#include "imgtool/explore/sockets_view.h"
#include "imgtool/failures.h"

namespace ckpt {
namespace {

struct ViewRow {
  std::string_view name;
  View list;
};

constexpr ViewRow kViews[] = {
    {"ps", ListProcesses}, {"fds", ListDescriptors}, {"mems", ListMappings},
    {"rss", ListPages},    {"sockets", ListSockets}, {"mounts", ListMounts},
};

Result<View> FindView(std::string_view name) {
  const auto found = std::ranges::find(kViews, name, &ViewRow::name);
  if (found != std::end(kViews)) return found->list;
  return MakeError(ErrorCode::kUsage,
                   "\"{}\" is no view, ps, fds, mems, rss, sockets and mounts are", name);
}

// A pid that is not in the dump is an error, not an empty table.
Result<> CheckPids(const ViewInput& input) {
  if (input.pids.empty()) return success();
  std::set<uint32_t> missing = input.pids;
  CKPT_TRY(const ImageFile image, input.reader.dump().Read(ImageType::kPstree));
  CKPT_TRY(const auto places, ParseEntries<pb::pstree_entry>(image));
  for (const auto& place : places) missing.erase(place.pid());
  if (missing.empty()) return success();
  return MakeError(ErrorCode::kNotFound, "{}: no process {}", image.name(), *missing.begin());
}

Result<> ShowView(View view, const DumpInput& dump, const Invocation& invocation,
                  Failures& failures) {
  CKPT_TRY(const DumpDirectory directory, DumpDirectory::Open(dump.path()));
  DumpReader reader(directory, dump.name(), failures);
  ViewInput input{reader};
  const auto& options = invocation.options;
  if (options.count("pid") > 0) {
    const auto& pids = options["pid"].as<std::vector<uint32_t>>();
    input.pids = {pids.begin(), pids.end()};
  }
  CKPT_TRY(CheckPids(input));
  std::vector<DumpDirectory> chain;
  input.shows_arguments = options.count("args") > 0;
  if (input.shows_arguments) {
    CKPT_TRY(chain, dump.OpenChain());
    input.chain = &chain;
  }
  const auto listing = options.count("json") > 0 ? MakeJsonListing(invocation.streams.out)
                                                 : MakeTextListing(invocation.streams.out);
  CKPT_TRY(view(input, *listing));
  listing->Finish();
  return success();
}

}  // namespace

void AddXOptions(boost::program_options::options_description& options) {
  namespace po = boost::program_options;
  options.add_options()("json", "JSON instead of tables")(
      "pid,p", po::value<std::vector<uint32_t>>()->composing(),
      "this process only; may be given several times")(
      "args", "ps: the command lines instead of the names, read from the pages");
  AddInputOptions(options);
}

Result<int> RunX(const Invocation& invocation) {
  CKPT_TRY(const View view, FindView(invocation.operands[1]));
  const bool needs_pages = invocation.options.count("args") > 0;
  CKPT_TRY(const DumpInput dump,
           DumpInput::Open(invocation.operands[0], invocation,
                           needs_pages ? NeedsAllFiles : NeedsImagesWithEntries));
  Failures failures("imgtool x", invocation.streams.err);
  CKPT_TRY(ShowView(view, dump, invocation, failures));
  return failures.exit_code();
}

}  // namespace ckpt
