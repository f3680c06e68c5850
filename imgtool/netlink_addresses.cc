#include "imgtool/netlink_addresses.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace ckpt {

namespace {

// Of iproute2: what `ip` puts before the messages.
constexpr uint32_t kRouteMagic = 0x45311224;
constexpr uint32_t kAddressMagic = 0x47361222;

constexpr uint16_t kAddressAttributes[] = {IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_ANYCAST,
                                           IFA_MULTICAST};
constexpr uint16_t kRouteAttributes[] = {RTA_DST, RTA_SRC, RTA_GATEWAY, RTA_PREFSRC};

size_t Aligned(size_t length) { return (length + 3) & ~size_t{3}; }

// The number in native order, as the kernel writes it.
template <typename T>
T Load(std::string_view bytes, size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

class Changer {
 public:
  Changer(std::string_view image, const AddressChange& change) : change_(change) {
    result_.bytes = image;
  }

  Result<ChangedAddresses> Run() {
    const size_t size = result_.bytes.size();
    if (size == 0) return std::move(result_);
    const uint32_t magic = size < sizeof magic ? 0 : Load<uint32_t>(result_.bytes, 0);
    if (magic != kRouteMagic && magic != kAddressMagic) {
      return MakeError(ErrorCode::kBadFormat, "magic {:#x}, {:#x} or {:#x} expected", magic,
                       kAddressMagic, kRouteMagic);
    }
    size_t at = sizeof magic;
    while (at < size) {
      if (size - at < sizeof(nlmsghdr)) return CutShort(at, sizeof(nlmsghdr));
      const auto length = Load<uint32_t>(result_.bytes, at);
      if (length < sizeof(nlmsghdr) || length > size - at) return CutShort(at, length);
      CKPT_TRY(ChangeMessage(at, length));
      at += std::min(Aligned(length), size - at);
    }
    return std::move(result_);
  }

 private:
  Error CutShort(size_t at, size_t length) const {
    return MakeError(ErrorCode::kBadFormat, "at offset {}: length {}, of {} bytes that are left",
                     at, length, result_.bytes.size() - at);
  }

  Result<> ChangeMessage(size_t at, size_t length) {
    const auto type = Load<uint16_t>(result_.bytes, at + offsetof(nlmsghdr, nlmsg_type));
    const size_t body = sizeof(nlmsghdr);
    if (type == RTM_NEWADDR) {
      return ChangeAttributes(at + length, at + body + sizeof(ifaddrmsg), kAddressAttributes);
    }
    if (type == RTM_NEWROUTE) {
      return ChangeAttributes(at + length, at + body + sizeof(rtmsg), kRouteAttributes);
    }
    return success();
  }

  template <size_t N>
  Result<> ChangeAttributes(size_t end, size_t at, const uint16_t (&of_addresses)[N]) {
    while (at + sizeof(rtattr) <= end) {
      const auto length = Load<uint16_t>(result_.bytes, at);
      const auto type = Load<uint16_t>(result_.bytes, at + sizeof length);
      if (length < sizeof(rtattr) || length > end - at) return CutShort(at, length);
      if (std::ranges::find(of_addresses, type) != std::end(of_addresses)) {
        Change(at + sizeof(rtattr), length - sizeof(rtattr));
      }
      at += Aligned(length);
    }
    return success();
  }

  void Change(size_t at, size_t length) {
    const auto changed = change_(std::string_view(result_.bytes).substr(at, length));
    if (!changed || changed->size() != length) return;
    result_.bytes.replace(at, length, *changed);
    ++result_.count;
  }

  const AddressChange& change_;
  ChangedAddresses result_;
};

}  // namespace

Result<ChangedAddresses> ChangeNetlinkAddresses(std::string_view image,
                                                const AddressChange& change) {
  return Changer(image, change).Run();
}

}  // namespace ckpt
