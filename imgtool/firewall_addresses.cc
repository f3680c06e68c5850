#include "imgtool/firewall_addresses.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ckpt {

namespace {

constexpr std::string_view kBlanks = " \t\n";

// Of iptables-extensions(8): what takes one address.
constexpr std::array<std::string_view, 13> kIptablesOptions{
    "-s",          "-d",          "--to-source", "--to-destination", "--to",
    "--on-ip",     "--gateway",   "--source",    "--destination",    "--ctorigsrc",
    "--ctorigdst", "--ctreplsrc", "--ctrepldst"};

// Where an address of nftables begins and ends; "-" is a range or a name.
constexpr std::string_view kNftBefore = " \t\n{(,[=";
constexpr std::string_view kNftBehind = " \t\n}),]:;";
constexpr std::string_view kIptablesBehind = " \t\n]:";

enum class Use { kNone, kHost, kOther };

class Text {
 public:
  Text(std::string_view text, FirewallSyntax syntax) : text_(text), syntax_(syntax) {}

  // What the bytes at `at`, which spell `address`, are.
  Use UseOf(size_t at, const std::string& address) const {
    const size_t end = at + address.size();
    const bool is_v6 = address.find(':') != std::string::npos;
    if (at > 0 && IsPartOfAddress(text_[at - 1], true)) return Use::kNone;
    if (end < text_.size() && IsPartOfAddress(text_[end], is_v6)) return Use::kNone;
    const bool is_host =
        IsHostBehind(end, is_v6) &&
        (syntax_ == FirewallSyntax::kIptables ? IsBehindOption(at) : IsWordOfNft(at));
    return is_host ? Use::kHost : Use::kOther;
  }

 private:
  static bool IsPartOfAddress(char byte, bool is_v6) {
    return byte == '.' || std::isdigit(static_cast<unsigned char>(byte)) != 0 ||
           (is_v6 && (byte == ':' || std::isxdigit(static_cast<unsigned char>(byte)) != 0));
  }

  // The end of the text, a separator, or the prefix length of a host.
  bool IsHostBehind(size_t end, bool is_v6) const {
    const std::string_view host_prefix = is_v6 ? "/128" : "/32";
    if (text_.substr(end).starts_with(host_prefix)) end += host_prefix.size();
    const std::string_view behind =
        syntax_ == FirewallSyntax::kIptables ? kIptablesBehind : kNftBehind;
    return end == text_.size() || behind.find(text_[end]) != std::string_view::npos;
  }

  bool IsBehindOption(size_t at) const {
    if (at > 0 && text_[at - 1] == '[') --at;
    if (at == 0 || text_[at - 1] != ' ') return false;
    const std::string_view before = text_.substr(0, at - 1);
    const size_t blank = before.find_last_of(kBlanks);
    const std::string_view option =
        blank == std::string_view::npos ? before : before.substr(blank + 1);
    return std::ranges::find(kIptablesOptions, option) != kIptablesOptions.end();
  }

  bool IsWordOfNft(size_t at) const {
    if (at > 0 && kNftBefore.find(text_[at - 1]) == std::string_view::npos) return false;
    const size_t line = text_.substr(0, at).rfind('\n') + 1;  // 0 for none
    return std::ranges::count(text_.substr(line, at - line), '"') % 2 == 0;
  }

  std::string_view text_;
  FirewallSyntax syntax_;
};

}  // namespace

ChangedRules ChangeFirewallAddresses(std::string_view text, FirewallSyntax syntax,
                                     const std::map<std::string, std::string>& addresses) {
  const Text rules(text, syntax);
  ChangedRules changed;
  std::map<size_t, const std::pair<const std::string, std::string>*> places;
  for (const auto& rule : addresses) {
    for (size_t at = 0; (at = text.find(rule.first, at)) != text.npos; at += rule.first.size()) {
      const Use use = rules.UseOf(at, rule.first);
      if (use == Use::kHost) places[at] = &rule;
      if (use == Use::kOther) changed.left.insert(rule.first);
    }
  }
  size_t copied = 0;
  for (const auto& [at, rule] : places) {
    changed.text += text.substr(copied, at - copied);
    changed.text += rule->second;
    changed.changed.insert(rule->first);
    copied = at + rule->first.size();
  }
  changed.text += text.substr(copied);
  changed.count = places.size();
  return changed;
}

}  // namespace ckpt
