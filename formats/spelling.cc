#include "formats/spelling.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "base/result.h"

namespace ckpt {
namespace {

constexpr NamedValue kMmapProt[] = {{"PROT_READ", 1}, {"PROT_WRITE", 2}, {"PROT_EXEC", 4}};

constexpr NamedValue kMmapFlags[] = {
    {"MAP_SHARED", 1},  {"MAP_PRIVATE", 2},       {"MAP_DROPPABLE", 8},
    {"MAP_ANON", 0x20}, {"MAP_GROWSDOWN", 0x100},
};

// Bit 0 up; VMA_AREA_NONE is 0 and never shown.
constexpr NamedValue kMmapStatus[] = {
    {"VMA_AREA_REGULAR", 1u << 0},  {"VMA_AREA_STACK", 1u << 1},   {"VMA_AREA_VSYSCALL", 1u << 2},
    {"VMA_AREA_VDSO", 1u << 3},     {"VMA_AREA_HEAP", 1u << 5},    {"VMA_FILE_PRIVATE", 1u << 6},
    {"VMA_FILE_SHARED", 1u << 7},   {"VMA_ANON_SHARED", 1u << 8},  {"VMA_ANON_PRIVATE", 1u << 9},
    {"VMA_AREA_SYSVIPC", 1u << 10}, {"VMA_AREA_SOCKET", 1u << 11}, {"VMA_AREA_VVAR", 1u << 12},
    {"VMA_AREA_AIORING", 1u << 13}, {"VMA_AREA_MEMFD", 1u << 14},  {"VMA_AREA_SHSTK", 1u << 15},
    {"VMA_AREA_UPROBES", 1u << 17}, {"VMA_UNSUPP", 1u << 31},
};

// open(2) on x86; O_RDONLY is 0 and never shown.
constexpr NamedValue kFileFlags[] = {
    {"O_WRONLY", 01},         {"O_RDWR", 02},          {"O_CREAT", 0100},
    {"O_EXCL", 0200},         {"O_NOCTTY", 0400},      {"O_TRUNC", 01000},
    {"O_APPEND", 02000},      {"O_NONBLOCK", 04000},   {"O_DSYNC", 010000},
    {"FASYNC", 020000},       {"O_DIRECT", 040000},    {"O_LARGEFILE", 0100000},
    {"O_DIRECTORY", 0200000}, {"O_NOFOLLOW", 0400000}, {"O_NOATIME", 01000000},
    {"O_CLOEXEC", 02000000},
};

constexpr NamedValue kSealFlags[] = {
    {"F_SEAL_SEAL", 1},  {"F_SEAL_SHRINK", 2},        {"F_SEAL_GROW", 4},
    {"F_SEAL_WRITE", 8}, {"F_SEAL_FUTURE_WRITE", 16},
};

constexpr NamedValue kPagemapFlags[] = {{"PE_PARENT", 1}, {"PE_LAZY", 2}, {"PE_PRESENT", 4}};

constexpr NamedValue kTaskStates[] = {{"Alive", 1}, {"Zombie", 3}, {"Stopped", 6}};

constexpr NamedValue kSocketFamilies[] = {
    {"UNIX", 1}, {"INET", 2}, {"INET6", 10}, {"NETLINK", 16}, {"PACKET", 17}};

constexpr NamedValue kSocketTypes[] = {
    {"STREAM", 1}, {"DGRAM", 2}, {"RAW", 3}, {"SEQPACKET", 5}, {"PACKET", 10}};

// The kernel's TCP states; sockets of other families borrow them.
constexpr NamedValue kSocketStates[] = {
    {"ESTABLISHED", 1}, {"SYN_SENT", 2}, {"SYN_RECV", 3},   {"FIN_WAIT1", 4}, {"FIN_WAIT2", 5},
    {"TIME_WAIT", 6},   {"CLOSE", 7},    {"CLOSE_WAIT", 8}, {"LAST_ACK", 9},  {"LISTEN", 10},
};

constexpr NamedValue kSocketProtocols[] = {{"IP", 0}, {"TCP", 6}, {"UDP", 17}, {"UDPLITE", 136}};

struct NamedTable {
  std::string_view name;
  NameTable values;
};

constexpr NamedTable kFlagTables[] = {
    {"mmap.prot", kMmapProt},    {"mmap.flags", kMmapFlags},  {"mmap.status", kMmapStatus},
    {"rfile.flags", kFileFlags}, {"seals.flags", kSealFlags}, {"pmap.flags", kPagemapFlags},
};

// By dictionary and field, as one name.
constexpr NamedTable kDictionaries[] = {
    {"gen.task_state", kTaskStates}, {"sk.family", kSocketFamilies}, {"sk.type", kSocketTypes},
    {"sk.state", kSocketStates},     {"sk.proto", kSocketProtocols},
};

std::optional<NameTable> FindTable(std::span<const NamedTable> tables, std::string_view name) {
  const auto found = std::ranges::find(tables, name, &NamedTable::name);
  if (found == tables.end()) return std::nullopt;
  return found->values;
}

using Ipv6Groups = std::array<uint16_t, 8>;

Ipv6Groups GroupsOf(std::span<const uint32_t> words) {
  Ipv6Groups groups;
  for (size_t i = 0; i < words.size(); ++i) {
    const uint32_t word = ntohl(words[i]);
    groups[2 * i] = static_cast<uint16_t>(word >> 16);
    groups[2 * i + 1] = static_cast<uint16_t>(word & 0xffff);
  }
  return groups;
}

struct ZeroRun {
  size_t begin = 0;
  size_t size = 0;
};

ZeroRun LongestZeroRun(const Ipv6Groups& groups) {
  ZeroRun longest;
  ZeroRun current;
  for (size_t i = 0; i < groups.size(); ++i) {
    current = groups[i] != 0 ? ZeroRun{i + 1, 0} : ZeroRun{current.begin, current.size + 1};
    if (current.size > longest.size) longest = current;
  }
  return longest;
}

std::string SpellIpv6(const Ipv6Groups& groups) {
  const ZeroRun run = LongestZeroRun(groups);
  const auto begin = groups.begin();
  // RFC 5952: a single zero group is not shortened.
  if (run.size < 2) return fmt::format("{:x}", fmt::join(groups, ":"));
  const auto run_begin = begin + static_cast<ptrdiff_t>(run.begin);
  const auto run_end = run_begin + static_cast<ptrdiff_t>(run.size);
  return fmt::format("{:x}::{:x}", fmt::join(begin, run_begin, ":"),
                     fmt::join(run_end, groups.end(), ":"));
}

// Quoted-printable text under construction.
class QuotedPrintable {
 public:
  explicit QuotedPrintable(std::string_view text) : text_(text), line_end_(FirstLineEnd(text)) {}

  std::string Encode() && {
    while (position_ < text_.size()) Step();
    return std::move(out_);
  }

 private:
  static constexpr size_t kLineLimit = 76;

  static std::string_view FirstLineEnd(std::string_view text) {
    const size_t line_feed = text.find('\n');
    const bool has_return =
        line_feed != std::string_view::npos && line_feed > 0 && text[line_feed - 1] == '\r';
    return has_return ? "\r\n" : "\n";
  }

  // The character after the current one; NUL past the end.
  char Next() const { return position_ + 1 < text_.size() ? text_[position_ + 1] : '\0'; }
  bool AtLast() const { return position_ + 1 == text_.size(); }

  bool NeedsEscape(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ' || c == '\t') return AtLast();
    // A line of a single dot ends a mail.
    if (c == '.') return line_size_ == 0 && (AtLast() || Next() == '\0' || IsLineChar(Next()));
    return c == '=' || byte > 126 || (byte < 32 && !IsLineChar(c));
  }

  static bool IsLineChar(char c) { return c == '\n' || c == '\r'; }

  void Step() {
    const char c = text_[position_];
    if (NeedsEscape(c)) {
      Escape(c);
    } else if (c == '\n' || (c == '\r' && Next() == '\n')) {
      EndLine(c);
    } else {
      Copy(c);
    }
    ++position_;
  }

  void Escape(char c) {
    if (line_size_ + 3 >= kLineLimit) SoftBreak();
    fmt::format_to(std::back_inserter(out_), "={:02X}", static_cast<unsigned char>(c));
    line_size_ += 3;
  }

  void Copy(char c) {
    if (!AtLast() && Next() != '\n' && line_size_ + 1 >= kLineLimit) SoftBreak();
    out_ += c;
    ++line_size_;
  }

  void EndLine(char c) {
    if (!out_.empty() && (out_.back() == ' ' || out_.back() == '\t')) {
      const char blank = out_.back();
      out_.pop_back();
      fmt::format_to(std::back_inserter(out_), "={:02X}", static_cast<unsigned char>(blank));
    }
    out_ += line_end_;
    line_size_ = 0;
    if (c == '\r') ++position_;
  }

  void SoftBreak() {
    out_ += '=';
    out_ += line_end_;
    line_size_ = 0;
  }

  std::string_view text_;
  std::string_view line_end_;
  size_t position_ = 0;
  size_t line_size_ = 0;
  std::string out_;
};

}  // namespace

std::optional<NameTable> FindFlagNames(std::string_view table) {
  return FindTable(kFlagTables, table);
}

std::optional<NameTable> FindDictionary(std::string_view dictionary, std::string_view field) {
  return FindTable(kDictionaries, fmt::format("{}.{}", dictionary, field));
}

std::optional<std::string_view> FindName(NameTable names, uint64_t value) {
  const auto found = std::ranges::find(names, value, &NamedValue::value);
  if (found == names.end()) return std::nullopt;
  return found->name;
}

std::string SpellHex(int64_t value) { return fmt::format("{:#x}", value); }

std::string SpellHex(uint64_t value) { return fmt::format("{:#x}", value); }

std::string SpellFlags(NameTable names, uint64_t value) {
  std::string text;
  const auto add = [&text](std::string_view piece) {
    if (!text.empty()) text += " | ";
    text += piece;
  };
  for (const NamedValue& flag : names) {
    if ((value & flag.value) != 0) add(flag.name);
    value &= ~flag.value;
  }
  if (value != 0) add(SpellHex(value));
  return text;
}

std::string SpellKernelDevice(uint64_t device) {
  return fmt::format("{}:{}", device >> 20, device & 0xfffff);
}

std::string SpellUserDevice(uint64_t device) {
  return fmt::format("{}:{}", major(device), minor(device));
}

std::optional<std::string> SpellIpAddress(std::span<const uint32_t> words) {
  if (words.size() == 4) return SpellIpv6(GroupsOf(words));
  if (words.size() != 1) return std::nullopt;
  const uint32_t address = ntohl(words[0]);
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255,
                     address & 255);
}

std::string SpellUnixName(Bytes name) { return QuotedPrintable(AsText(name)).Encode(); }

}  // namespace ckpt
