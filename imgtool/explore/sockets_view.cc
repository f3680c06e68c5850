#include "imgtool/explore/sockets_view.h"

#include <algorithm>

#include "imgtool/explore/file_context.h"
#include "imgtool/explore/open_files.h"

namespace ckpt {
namespace {

constexpr Column kColumns[] = {
    {"FAMILY", "family"}, {"TYPE", "type"},           {"PROTO", "protocol"},
    {"STATE", "state"},   {"RECV-Q", "recv_q", true}, {"SEND-Q", "send_q", true},
    {"LOCAL", "local"},   {"PEER", "peer"},           {"PID/FD", "holders"},
};

constexpr size_t kHoldersShown = 8;

void ListText(const char* key, const std::string& text, Listing& listing) {
  if (!text.empty()) listing.Text(key, text);
}

void ListHolders(const std::vector<Holder>& holders, Listing& listing) {
  listing.Cell("holders", HoldersText(holders, kHoldersShown));
  listing.BeginList("holders");
  for (const Holder& holder : holders) {
    listing.BeginItem();
    listing.Number("holder_pid", holder.pid);
    listing.Number("holder_fd", holder.fd);
    listing.EndItem();
  }
  listing.EndList();
}

void ListSocket(const pb::file_entry& file, const SocketFacts& facts,
                const std::vector<Holder>& holders, Listing& listing) {
  listing.BeginItem();
  listing.Number("file_id", file.id());
  ListText("family", facts.family, listing);
  ListText("type", facts.type, listing);
  ListText("protocol", facts.protocol, listing);
  ListText("state", facts.state, listing);
  ListText("local", facts.local, listing);
  ListText("peer", facts.peer, listing);
  if (facts.inode != 0) listing.Number("inode", facts.inode);
  if (facts.peer_inode != 0) listing.Number("peer_inode", facts.peer_inode);
  listing.Number("recv_q", facts.received_bytes);
  listing.Number("send_q", facts.unsent_bytes);
  if (facts.net_ns_id != 0) listing.Number("net_ns_id", facts.net_ns_id);
  ListHolders(holders, listing);
  listing.EndItem();
}

}  // namespace

Result<> ListSockets(const ViewInput& input, Listing& listing) {
  CKPT_TRY(const std::vector<DumpedTask> tasks, ReadTasks(input.reader));
  const FileDescriptions files = FileDescriptions::Read(input.reader);
  const DescriptorTables tables = DescriptorTables::Read(input.reader, tasks);
  const FileContext context = FileContext::Read(input.reader, files, tables);
  listing.BeginList("sockets", kColumns);
  for (const pb::file_entry& file : files.all()) {
    if (listing.stopped()) break;
    if (!IsSocket(file)) continue;
    const auto& holders = tables.HoldersOf(file);
    const bool is_shown =
        input.pids.empty() ||
        std::ranges::any_of(holders, [&](const Holder& holder) { return input.Shows(holder.pid); });
    if (is_shown) ListSocket(file, context.DescribeSocket(file), holders, listing);
  }
  listing.EndList();
  return success();
}

}  // namespace ckpt
