#include "process/xtables.h"

#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_arp/arp_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

struct Kind {
  const char* name;
  const char* names_file;  // in /proc/PID/net
  int family;
  int level;
  int info_option;
  int entries_option;
  size_t hook_count;
  size_t target_offset_at;
};

constexpr std::array<Kind, 3> kKinds = {{
    {"iptables", "ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES,
     NF_INET_NUMHOOKS, offsetof(ipt_entry, target_offset)},
    {"ip6tables", "ip6_tables_names", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES,
     NF_INET_NUMHOOKS, offsetof(ip6t_entry, target_offset)},
    {"arptables", "arp_tables_names", AF_INET, IPPROTO_IP, ARPT_SO_GET_INFO, ARPT_SO_GET_ENTRIES,
     NF_ARP_NUMHOOKS, offsetof(arpt_entry, target_offset)},
}};

// struct ipt_getinfo and struct ipt_get_entries begin with the name of a table; the latter goes on
// with the size of the entries, and those with a multiple of 8.
constexpr size_t kNameBytes = XT_TABLE_MAXNAMELEN;
constexpr size_t kEntriesAt = 40;
static_assert(sizeof(ipt_get_entries) == kEntriesAt && sizeof(ip6t_get_entries) == kEntriesAt &&
              sizeof(arpt_get_entries) == kEntriesAt);

// struct ipt_getinfo, with the hooks of its kind.
constexpr size_t InfoBytes(size_t hook_count) {
  return kNameBytes + (3 + 2 * hook_count) * sizeof(uint32_t);
}

constexpr int32_t kAccept = -NF_ACCEPT - 1;  // as a target has it

template <typename T>
std::optional<T> ReadAt(Bytes bytes, size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

std::vector<uint32_t> ReadNumbers(ByteReader& reader, size_t count) {
  std::vector<uint32_t> numbers;
  while (numbers.size() < count) numbers.push_back(reader.ReadU32().value_or(0));
  return numbers;
}

bool AcceptsAt(Bytes entries, size_t entry, size_t target_offset_at) {
  const auto target = ReadAt<uint16_t>(entries, entry + target_offset_at);
  if (!target) return false;
  return ReadAt<int32_t>(entries, entry + *target + sizeof(xt_entry_target)) == kAccept;
}

// `answer` begins with the table's name.
Result<> Ask(int fd, const Kind& kind, int option, const std::string& table, std::string& answer) {
  auto size = static_cast<socklen_t>(answer.size());
  if (getsockopt(fd, kind.level, option, answer.data(), &size) == 0) return success();
  return ErrnoError(errno, "getsockopt({}) of {} table {}", option, kind.name, table);
}

Result<bool> HasChanged(int fd, const Kind& kind, const std::string& table) {
  std::string info_bytes(InfoBytes(kind.hook_count), '\0');
  table.copy(info_bytes.data(), kNameBytes - 1);
  CKPT_TRY(Ask(fd, kind, kind.info_option, table, info_bytes));
  const auto info = ParseXtablesInfo(AsBytes(info_bytes), kind.hook_count);
  CKPT_CHECK(info.has_value());
  std::string entries(kEntriesAt + info->size_bytes, '\0');
  table.copy(entries.data(), kNameBytes - 1);
  std::memcpy(entries.data() + kNameBytes, &info->size_bytes, sizeof(info->size_bytes));
  CKPT_TRY(Ask(fd, kind, kind.entries_option, table, entries));
  return !IsUnchanged(*info, AsBytes(entries).subspan(kEntriesAt), kind.target_offset_at);
}

// Tables come into being when somebody asks for one, which we do not.
Result<std::vector<std::string>> ListTables(const std::string& path) {
  const Result<std::string> text = ReadWholeFile(path);
  std::vector<std::string> names;
  if (text.has_error() && text.error().code == ErrorCode::kNotFound) return names;
  CKPT_TRY(const std::string_view listed, text);
  for (TextScanner scanner(listed); !scanner.AtEnd();) names.emplace_back(scanner.ReadLine());
  return names;
}

Result<> AddChanged(const std::string& proc, const Kind& kind, std::vector<std::string>& changed) {
  CKPT_TRY(const std::vector<std::string> tables,
           ListTables(fmt::format("{}/thread-self/net/{}", proc, kind.names_file)));
  if (tables.empty()) return success();
  const UniqueFd fd(socket(kind.family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "socket({}, SOCK_RAW, IPPROTO_RAW)", kind.family);
  for (const std::string& table : tables) {
    CKPT_TRY(const bool has_changed, HasChanged(fd.get(), kind, table));
    if (has_changed) changed.push_back(fmt::format("{} table {}", kind.name, table));
  }
  return success();
}

}  // namespace

std::optional<XtablesInfo> ParseXtablesInfo(Bytes bytes, size_t hook_count) {
  ByteReader reader(bytes);
  if (bytes.size() < InfoBytes(hook_count)) return std::nullopt;
  static_cast<void>(reader.ReadBytes(kNameBytes));
  XtablesInfo info;
  info.valid_hooks = reader.ReadU32().value_or(0);
  info.hook_entry = ReadNumbers(reader, hook_count);
  info.underflow = ReadNumbers(reader, hook_count);
  info.entry_count = reader.ReadU32().value_or(0);
  info.size_bytes = reader.ReadU32().value_or(0);
  return info;
}

bool IsUnchanged(const XtablesInfo& info, Bytes entries, size_t target_offset_at) {
  // A policy of each hook, and the end of the table.
  if (info.entry_count != static_cast<uint32_t>(std::popcount(info.valid_hooks)) + 1) return false;
  for (size_t hook = 0; hook < info.underflow.size(); ++hook) {
    if ((info.valid_hooks >> hook & 1U) == 0) continue;
    if (info.hook_entry[hook] != info.underflow[hook]) return false;
    if (!AcceptsAt(entries, info.underflow[hook], target_offset_at)) return false;
  }
  return true;
}

Result<std::vector<std::string>> ListChangedXtables(const std::string& proc) {
  std::vector<std::string> changed;
  for (const Kind& kind : kKinds) CKPT_TRY(AddChanged(proc, kind, changed));
  return changed;
}

}  // namespace ckpt
