#include "imgtool/network_passes.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/image_type.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/sockets_inet.pb.h"
#include "imgtool/address_words.h"
#include "imgtool/firewall_addresses.h"
#include "imgtool/netlink_addresses.h"
#include "imgtool/rewrite_context.h"

namespace ckpt {

namespace {

constexpr size_t kMaxNetworkBytes = size_t{64} << 20;

struct DumpedSocket {
  EntryPlace place;
  std::string field_prefix;
  pb::inet_sk_entry entry;
};

Result<> AddSockets(const ImageFile& image, const std::string& name,
                    std::vector<DumpedSocket>& sockets) {
  if (image.type() == ImageType::kFiles) {
    CKPT_TRY(const auto entries, ParseEntries<pb::file_entry>(image));
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].has_isk()) sockets.push_back({{name, i}, "isk.", entries[i].isk()});
    }
    return success();
  }
  CKPT_TRY(const auto entries, ParseEntries<pb::inet_sk_entry>(image));
  for (size_t i = 0; i < entries.size(); ++i) sockets.push_back({{name, i}, "", entries[i]});
  return success();
}

// Of files.img and the old inetsk.img.
Result<std::vector<DumpedSocket>> ReadSockets(const ImageSource& images) {
  std::vector<DumpedSocket> sockets;
  for (const ImageType type : {ImageType::kFiles, ImageType::kInetsk}) {
    const std::string name = ImageFileName(type);
    if (!images.Has(name)) continue;
    CKPT_TRY(const ImageFile image, images.Read(name));
    CKPT_TRY(AddSockets(image, name, sockets));
  }
  return sockets;
}

// TCP, UDP and UDPLITE; the "ports" of others are protocols.
bool HasPorts(const pb::inet_sk_entry& socket) {
  return socket.proto() == IPPROTO_TCP || socket.proto() == IPPROTO_UDP ||
         socket.proto() == IPPROTO_UDPLITE;
}

template <typename T>
Error Unmatched(std::string_view option, const std::string& rule, const std::set<T>& there) {
  std::string list;
  for (const T& name : there) list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  return MakeError(ErrorCode::kNotFound, "{} {}: no socket of the dump has it; there are {}",
                   option, rule, list.empty() ? "none" : list);
}

class AddressPass {
 public:
  AddressPass(RewriteContext& context, EditPlan& plan) : context_(context), plan_(plan) {}

  Result<> Run() {
    CKPT_TRY(const auto sockets, ReadSockets(context_.images));
    for (const DumpedSocket& socket : sockets) {
      CKPT_TRY(Change(socket, "src_addr", AddressOfWords(socket.entry.src_addr())));
      CKPT_TRY(Change(socket, "dst_addr", AddressOfWords(socket.entry.dst_addr())));
    }
    for (const std::string& name : context_.images.file_names()) CKPT_TRY(ChangeImage(name));
    for (const auto& [from, to] : context_.rules.addresses) {
      if (used_.contains(from)) continue;
      return Unmatched("--ip", AddressText(from) + "=" + AddressText(to), there_);
    }
    return success();
  }

 private:
  std::optional<std::string> Mapped(const std::string& address) {
    const auto found = context_.rules.addresses.find(address);
    if (found == context_.rules.addresses.end()) return std::nullopt;
    used_.insert(address);
    return found->second;
  }

  Result<> Change(const DumpedSocket& socket, const char* field, const std::string& address) {
    if (address.size() != sizeof(in_addr) && address.size() != sizeof(in6_addr)) return success();
    there_.insert(AddressText(address));
    const auto changed = Mapped(address);
    if (!changed) return success();
    return plan_.Add({socket.place, socket.field_prefix + field, WordsOfAddress(address),
                      WordsOfAddress(*changed), "addresses",
                      fmt::format("--ip {}={}", AddressText(address), AddressText(*changed))});
  }

  Result<> ChangeImage(const std::string& name) {
    const auto image = FindImageTypeByFileName(name);
    if (!image) return success();
    switch (image->type) {
      case ImageType::kIfaddr:
      case ImageType::kRoute:
      case ImageType::kRoute6:
        return ChangeNetlink(name);
      case ImageType::kIptables:
      case ImageType::kIp6tables:
      case ImageType::kNftables:
        return ChangeRules(name, image->type);
      default:
        return success();
    }
  }

  Result<> ChangeNetlink(const std::string& name) {
    CKPT_TRY(const std::string bytes, context_.images.ReadBytes(name, kMaxNetworkBytes));
    auto changed = ChangeNetlinkAddresses(
        bytes, [this](std::string_view address) { return Mapped(std::string(address)); });
    if (changed.has_error()) return std::move(changed).error().In(name);
    if (changed.value().count == 0) return success();
    return plan_.AddFile({name,
                          {changed.value().bytes, "", 0},
                          true,
                          "addresses",
                          fmt::format("--ip, {} addresses in it", changed.value().count)});
  }

  Result<> ChangeRules(const std::string& name, ImageType type) {
    CKPT_TRY(const std::string text, context_.images.ReadBytes(name, kMaxNetworkBytes));
    std::map<std::string, std::string> texts;
    for (const auto& [from, to] : context_.rules.addresses) {
      texts.emplace(AddressText(from), AddressText(to));
    }
    const auto syntax =
        type == ImageType::kNftables ? FirewallSyntax::kNftables : FirewallSyntax::kIptables;
    ChangedRules changed = ChangeFirewallAddresses(text, syntax, texts);
    for (const std::string& address : changed.left) {
      plan_.AddNote(
          {name, fmt::format("its rules also have {} where it is not one host (a network, "
                             "a range, a name, a comment): that was left",
                             address)});
    }
    for (const auto& [from, to] : context_.rules.addresses) {
      if (changed.changed.contains(AddressText(from))) used_.insert(from);
    }
    if (changed.count == 0) return success();
    return plan_.AddFile({name,
                          {std::move(changed.text), "", 0},
                          true,
                          "addresses",
                          fmt::format("--ip, {} addresses in its rules", changed.count)});
  }

  RewriteContext& context_;
  EditPlan& plan_;
  std::set<std::string> used_;
  std::set<std::string> there_;
};

}  // namespace

Result<> RenamePorts(RewriteContext& context, EditPlan& plan) {
  const auto& ports = context.rules.ports;
  if (ports.empty()) return success();
  std::set<uint32_t> there;
  CKPT_TRY(const auto sockets, ReadSockets(context.images));
  for (const DumpedSocket& socket : sockets) {
    if (!HasPorts(socket.entry)) continue;
    const auto change = [&](const char* field, uint32_t port) -> Result<> {
      if (port != 0) there.insert(port);
      const auto found = ports.find(port);
      if (found == ports.end()) return success();
      return plan.Add({socket.place, socket.field_prefix + field, int64_t{port},
                       int64_t{found->second}, "ports",
                       fmt::format("--port {}={}", found->first, found->second)});
    };
    CKPT_TRY(change("src_port", socket.entry.src_port()));
    CKPT_TRY(change("dst_port", socket.entry.dst_port()));
  }
  for (const auto& [from, to] : ports) {
    if (!there.contains(from)) return Unmatched("--port", fmt::format("{}={}", from, to), there);
  }
  return success();
}

Result<> RenameAddresses(RewriteContext& context, EditPlan& plan) {
  return context.rules.addresses.empty() ? Result<>(success()) : AddressPass(context, plan).Run();
}

}  // namespace ckpt
