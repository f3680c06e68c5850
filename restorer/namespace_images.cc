#include "restorer/namespace_images.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "restorer/findings.h"
#include "restorer/net_addresses.h"

namespace ckpt {

namespace {

constexpr std::array kIpcObjects = {ImageType::kIpcnsShm, ImageType::kIpcnsMsg,
                                    ImageType::kIpcnsSem};

// Images of packet filters, which iptables-save(8) and nft(8) wrote.
struct Filters {
  ImageType image;
  std::string_view rule;  // what only a rule has; empty where all text is rules
};
constexpr std::array kFilters = {
    Filters{ImageType::kIptables, "\n-A "},
    Filters{ImageType::kIp6tables, "\n-A "},
    Filters{ImageType::kNftables, ""},
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
    if (!text.empty() && text.find(filters.rule) != text.npos) {
      names.push_back(ImageFileName(filters.image, id));
    }
  }

  // The name of an image that holds routes which the kernel does not make itself.
  void Routes(std::vector<std::string>& names, ImageType type, uint64_t id) {
    std::string text;
    Text(text, type, id);
    const auto added = findings_.Keep(HasAddedRoutes(text, ImageFileName(type, id)));
    if (added && *added) names.push_back(ImageFileName(type, id));
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
  for (const ImageType type : {ImageType::kRoute, ImageType::kRoute6}) {
    loader.Routes(images.net_traffic_rules, type, ids.net_ns_id());
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
