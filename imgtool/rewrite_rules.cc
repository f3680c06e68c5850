#include "imgtool/rewrite_rules.h"

#include <arpa/inet.h>

#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

namespace ckpt {

namespace {

namespace po = boost::program_options;

using Rules = std::vector<std::string>;

constexpr uint32_t kMaxPort = 65535;
// The kernel's ids have 32 bits, the last of which means none.
constexpr int64_t kMaxShift = UINT32_MAX - 1;
constexpr size_t kMaxHostNameBytes = 64;

Rules Given(const po::variables_map& given, const char* name) {
  return given.count(name) > 0 ? given[name].as<Rules>() : Rules();
}

struct RulePair {
  std::string from;
  std::string to;
};

Result<RulePair> Split(std::string_view option, const std::string& rule, char separator,
                       std::string_view shape) {
  const size_t at = rule.find(separator);
  if (at == std::string::npos || at == 0 || at + 1 == rule.size()) {
    return MakeError(ErrorCode::kUsage, "{} {}: {} expected", option, rule, shape);
  }
  return RulePair{rule.substr(0, at), rule.substr(at + 1)};
}

template <typename T>
Result<> AddRule(std::string_view option, const std::string& rule, T from, T to,
                 std::map<T, T>& rules) {
  const auto [found, added] = rules.try_emplace(std::move(from), to);
  if (added || found->second == to) return success();
  return MakeError(ErrorCode::kUsage, "{} {}: another {} of the same says otherwise", option, rule,
                   option);
}

Result<uint32_t> ParsePort(const std::string& rule, const std::string& text) {
  uint32_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port =
      problem == std::errc() && end == text.data() + text.size() && port > 0 && port <= kMaxPort;
  if (is_port) return port;
  return MakeError(ErrorCode::kUsage, "--port {}: {} is no port, 1 to {} allowed", rule, text,
                   kMaxPort);
}

Result<> AddPort(const std::string& rule, RewriteRules& rules) {
  CKPT_TRY(const RulePair pair, Split("--port", rule, '=', "OLD=NEW"));
  CKPT_TRY(const uint32_t from, ParsePort(rule, pair.from));
  CKPT_TRY(const uint32_t to, ParsePort(rule, pair.to));
  return AddRule("--port", rule, from, to, rules.ports);
}

Result<std::string> ParseAddress(const std::string& rule, const std::string& text) {
  std::string bytes(sizeof(in6_addr), '\0');
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(sizeof(in_addr));
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return MakeError(ErrorCode::kUsage, "--ip {}: {} is no address", rule, text);
}

Result<> AddAddress(const std::string& rule, RewriteRules& rules) {
  CKPT_TRY(const RulePair pair, Split("--ip", rule, '=', "OLD=NEW"));
  CKPT_TRY(const std::string from, ParseAddress(rule, pair.from));
  CKPT_TRY(const std::string to, ParseAddress(rule, pair.to));
  if (from.size() != to.size()) {
    return MakeError(ErrorCode::kUsage, "--ip {}: one is IPv4, the other IPv6", rule);
  }
  return AddRule("--ip", rule, from, to, rules.addresses);
}

Result<> AddExternalMount(const std::string& rule, RewriteRules& rules) {
  CKPT_TRY(const RulePair pair, Split("--ext-mount-map", rule, ':', "MOUNTPOINT:KEY"));
  return AddRule("--ext-mount-map", rule, pair.from, pair.to, rules.external_mounts);
}

Result<> CheckSingles(const RewriteRules& rules) {
  if (rules.hostname && (rules.hostname->empty() || rules.hostname->size() > kMaxHostNameBytes)) {
    return MakeError(ErrorCode::kUsage, "--hostname: {} bytes, 1 to {} allowed",
                     rules.hostname->size(), kMaxHostNameBytes);
  }
  if (rules.uid_shift > kMaxShift || rules.uid_shift < -kMaxShift) {
    return MakeError(ErrorCode::kUsage, "--uid-shift {}: at most {} either way", rules.uid_shift,
                     kMaxShift);
  }
  return success();
}

}  // namespace

bool RewriteRules::empty() const {
  return paths.empty() && mounts.empty() && cgroups.empty() && external_mounts.empty() && !restat &&
         ports.empty() && addresses.empty() && !hostname && uid_shift == 0 && !anonymise;
}

void AddRewriteRuleOptions(po::options_description& options) {
  const auto repeatable = [](const char* shape) {
    return po::value<Rules>()->composing()->value_name(shape);
  };
  options.add_options()("path", repeatable("OLD=NEW"),
                        "paths of the tasks at or below OLD; @FILE has one in each line");
  options.add_options()("mount", repeatable("OLD=NEW"), "sources of mounts at or below OLD");
  options.add_options()("ext-mount-map", repeatable("MOUNTPOINT:KEY"),
                        "the mount there becomes external, called KEY");
  options.add_options()(
      "restat", po::value<std::string>()->value_name("ROOTFS"),
      "sizes and modes of files, from the directory that is the tasks' \"/\" now");
  options.add_options()("port", repeatable("OLD=NEW"), "ports of TCP and UDP sockets");
  options.add_options()("ip", repeatable("OLD=NEW"),
                        "addresses of sockets, network devices and routes");
  options.add_options()("cgroup", repeatable("OLD=NEW"), "paths of cgroups at or below OLD");
  options.add_options()("hostname", po::value<std::string>()->value_name("NAME"),
                        "the name of the host");
  options.add_options()("uid-shift", po::value<int64_t>()->value_name("COUNT"),
                        "added to every user and group id, or to what user namespaces map to");
  options.add_options()("anonymise", "memory, paths and names replaced, for a bug report");
}

Result<RewriteRules> ReadRewriteRules(const po::variables_map& given) {
  RewriteRules rules;
  CKPT_TRY(rules.paths, PrefixMap::Parse("--path", Given(given, "path")));
  CKPT_TRY(rules.mounts, PrefixMap::Parse("--mount", Given(given, "mount"), false));
  CKPT_TRY(rules.cgroups, PrefixMap::Parse("--cgroup", Given(given, "cgroup")));
  for (const auto& rule : Given(given, "ext-mount-map")) CKPT_TRY(AddExternalMount(rule, rules));
  for (const auto& rule : Given(given, "port")) CKPT_TRY(AddPort(rule, rules));
  for (const auto& rule : Given(given, "ip")) CKPT_TRY(AddAddress(rule, rules));
  if (given.count("restat") > 0) rules.restat = given["restat"].as<std::string>();
  if (given.count("hostname") > 0) rules.hostname = given["hostname"].as<std::string>();
  if (given.count("uid-shift") > 0) rules.uid_shift = given["uid-shift"].as<int64_t>();
  rules.anonymise = given.count("anonymise") > 0;
  CKPT_TRY(CheckSingles(rules));
  return rules;
}

std::string AddressText(const std::string& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  inet_ntop(family, address.data(), text.data(), text.size());
  return text.data();
}

}  // namespace ckpt
