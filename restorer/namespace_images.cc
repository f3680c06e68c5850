#include "restorer/namespace_images.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "process/text_scanner.h"
#include "restorer/findings.h"
#include "restorer/net_addresses.h"

namespace ckpt {

namespace {

constexpr std::array kIpcObjects = {ImageType::kIpcnsShm, ImageType::kIpcnsMsg,
                                    ImageType::kIpcnsSem};

// Whether the output of iptables-save(8) has a rule, a chain of somebody, or a policy other than
// ACCEPT: lines such as "-A INPUT ...", ":mine - [0:0]" and ":INPUT DROP [0:0]".
bool HasIptablesRules(std::string_view text) {
  for (TextScanner scanner(text); !scanner.AtEnd();) {
    const std::string_view line = scanner.ReadLine();
    if (line.starts_with("-A ")) return true;
    if (line.starts_with(':') && line.find(" ACCEPT ") == line.npos) return true;
  }
  return false;
}

// That of nft(8) has nothing else.
bool HasNftablesRules(std::string_view text) { return !text.empty(); }

struct Filters {
  ImageType image;
  bool (*has_rules)(std::string_view text);
};
constexpr std::array kFilters = {
    Filters{ImageType::kIptables, HasIptablesRules},
    Filters{ImageType::kIp6tables, HasIptablesRules},
    Filters{ImageType::kNftables, HasNftablesRules},
};

using TellsOfChange = Result<bool> (*)(std::string_view bytes, std::string_view image);
struct Routing {
  ImageType image;
  TellsOfChange has_changed;
};
constexpr std::array kRouting = {
    Routing{ImageType::kRoute, HasAddedRoutes},
    Routing{ImageType::kRoute6, HasAddedRoutes},
    Routing{ImageType::kRule, HasChangedRules},
};

class Loader {
 public:
  explicit Loader(const DumpDirectory& dump) : dump_(dump) {}

  template <typename M>
  void Single(std::optional<M>& value, ImageType type, uint64_t id) {
    if (!dump_.Has(type, id)) return;
    if (auto read = findings_.Keep(dump_.ReadSingle<M>(type, id))) value = std::move(*read);
  }

  template <typename M>
  void All(std::vector<M>& values, ImageType type, uint64_t id) {
    if (auto read = findings_.Keep(dump_.ReadAllIfPresent<M>(type, id))) values = std::move(*read);
  }

  // The names of the images that hold something.
  void Filled(std::vector<std::string>& names, ImageType type, uint64_t id) {
    const auto image = findings_.Keep(dump_.ReadIfPresent(type, id));
    if (image && *image && !(*image)->entries().empty()) names.push_back(ImageFileName(type, id));
  }

  void Text(std::string& text, ImageType type, uint64_t id) {
    if (!dump_.Has(type, id)) return;
    if (auto read = findings_.Keep(ReadWholeFile(dump_.PathOf(type, id)))) text = std::move(*read);
  }

  // The name of an image that holds rules.
  void Rules(std::vector<std::string>& names, const Filters& filters, uint64_t id) {
    std::string text;
    Text(text, filters.image, id);
    if (filters.has_rules(text)) names.push_back(ImageFileName(filters.image, id));
  }

  // The name of an image that holds routes or rules which the kernel does not make itself.
  void Routes(std::vector<std::string>& names, const Routing& routing, uint64_t id) {
    const std::string name = ImageFileName(routing.image, id);
    std::string text;
    Text(text, routing.image, id);
    const auto changed = findings_.Keep(routing.has_changed(text, name));
    if (changed && *changed) names.push_back(name);
  }

  Result<> AsResult() const { return findings_.AsResult(); }

 private:
  const DumpDirectory& dump_;
  Findings findings_;
};

}  // namespace

Result<NamespaceImages> LoadNamespaceImages(const DumpDirectory& dump,
                                            const pb::task_kobj_ids_entry& ids) {
  NamespaceImages images;
  Loader loader(dump);
  loader.Single(images.uts, ImageType::kUtsns, ids.uts_ns_id());
  loader.Single(images.ipc, ImageType::kIpcVar, ids.ipc_ns_id());
  for (const ImageType type : kIpcObjects) {
    loader.Filled(images.ipc_objects, type, ids.ipc_ns_id());
  }
  loader.Single(images.net, ImageType::kNetns, ids.net_ns_id());
  loader.All(images.net_devices, ImageType::kNetdev, ids.net_ns_id());
  loader.Text(images.net_addresses, ImageType::kIfaddr, ids.net_ns_id());
  for (const Routing& routing : kRouting) {
    loader.Routes(images.net_traffic_rules, routing, ids.net_ns_id());
  }
  for (const Filters& filters : kFilters) {
    loader.Rules(images.net_traffic_rules, filters, ids.net_ns_id());
  }
  loader.Single(images.pid, ImageType::kPidns, ids.pid_ns_id());
  loader.All(images.mounts, ImageType::kMnts, ids.mnt_ns_id());
  for (const DumpImage& image : dump.images()) {
    if (image.image.type == ImageType::kTmpfsDev) images.tmpfs_contents.insert(image.image.id);
  }
  CKPT_TRY(loader.AsResult());
  return images;
}

}  // namespace ckpt
