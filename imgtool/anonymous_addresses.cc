#include "imgtool/anonymous_addresses.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ckpt {

namespace {

constexpr size_t kV4Bytes = 4;
constexpr size_t kV6Bytes = 16;
constexpr std::string_view kMappedPrefix("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);  // ::ffff:0:0/96
constexpr std::string_view kLoopback6("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", kV6Bytes);
constexpr std::string_view kNewPrefix4("\x0a", 1);
constexpr std::string_view kNewPrefix6("\x20\x01\x0d\xb8", 4);  // for documentation, RFC 3849
constexpr unsigned char kLoopbackNet = 127;
constexpr unsigned char kFirstMulticast4 = 224;  // and reserved ones, and broadcast, above
constexpr unsigned char kMulticast6 = 0xff;

bool IsMapped(std::string_view address) {
  return address.size() == kV6Bytes && address.starts_with(kMappedPrefix);
}

bool StaysAsItIs(std::string_view address) {
  if (address.find_first_not_of('\0') == std::string_view::npos) return true;
  const auto first = static_cast<unsigned char>(address[0]);
  if (address.size() == kV4Bytes) return first == kLoopbackNet || first >= kFirstMulticast4;
  return address.size() != kV6Bytes || first == kMulticast6 || address == kLoopback6;
}

// The prefix, zeros, and the number in the last bytes.
std::string Numbered(std::string_view prefix, size_t size_bytes, uint32_t number) {
  std::string address(prefix);
  address.resize(size_bytes);
  for (size_t at = size_bytes - 1; at >= prefix.size() && number != 0; --at, number >>= 8) {
    address[at] = static_cast<char>(number & 0xff);
  }
  return address;
}

}  // namespace

std::map<std::string, std::string> AnonymousAddresses(const std::set<std::string>& addresses) {
  std::set<std::string> numbered;
  for (const std::string& address : addresses) {
    numbered.insert(IsMapped(address) ? address.substr(kMappedPrefix.size()) : address);
  }
  std::map<std::string, std::string> anonymous;
  uint32_t count4 = 0;
  uint32_t count6 = 0;
  for (const std::string& address : numbered) {
    if (StaysAsItIs(address)) continue;
    const bool is_v4 = address.size() == kV4Bytes;
    anonymous[address] = is_v4 ? Numbered(kNewPrefix4, kV4Bytes, ++count4)
                               : Numbered(kNewPrefix6, kV6Bytes, ++count6);
  }
  for (const std::string& address : addresses) {
    if (!IsMapped(address)) continue;
    const auto inner = anonymous.find(address.substr(kMappedPrefix.size()));
    if (inner != anonymous.end()) anonymous[address] = std::string(kMappedPrefix) + inner->second;
  }
  return anonymous;
}

}  // namespace ckpt
