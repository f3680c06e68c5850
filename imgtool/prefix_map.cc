#include "imgtool/prefix_map.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "imgtool/edit_plan.h"
#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

constexpr size_t kMaxRulesBytes = size_t{64} << 20;
constexpr size_t kMostNearMisses = 5;

// Without doubled slashes and those at the end; "/" is empty, so that NEW can be put before any
// rest.
std::string Normal(std::string_view path) {
  std::string normal;
  for (const char byte : path) {
    if (byte == '/' && normal.ends_with('/')) continue;
    normal += byte;
  }
  if (normal.ends_with('/')) normal.pop_back();
  return normal;
}

bool HasDots(std::string_view path) {
  const std::string framed = "/" + std::string(path) + "/";
  return framed.find("/../") != std::string::npos || framed.find("/./") != std::string::npos;
}

bool IsAtOrBelow(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string_view LastComponent(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// How alike a path is to an OLD: the bytes in common at the start, more for a common last name.
size_t Likeness(std::string_view path, std::string_view from) {
  const auto [end, ignored] = std::ranges::mismatch(path, from);
  const bool has_name = path.find(LastComponent(from)) != std::string_view::npos;
  return static_cast<size_t>(end - path.begin()) + (has_name ? from.size() : 0);
}

std::string RuleText(const std::string& from, const std::string& to) {
  return fmt::format("{}={}", EscapeOctal(from.empty() ? "/" : from, "="),
                     EscapeOctal(to.empty() ? "/" : to, "="));
}

Result<std::vector<std::string>> RuleTexts(const std::vector<std::string>& rules) {
  std::vector<std::string> texts;
  for (const std::string& rule : rules) {
    if (!rule.starts_with('@')) {
      texts.push_back(rule);
      continue;
    }
    CKPT_TRY(std::string text, ReadWholeFile(rule.substr(1), kMaxRulesBytes));
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string line = text.substr(0, end);
      text.erase(0, end + 1);
      if (!line.empty() && !line.starts_with('#')) texts.push_back(line);
    }
  }
  return texts;
}

}  // namespace

Result<PrefixMap> PrefixMap::Parse(const std::string& option, const std::vector<std::string>& rules,
                                   bool needs_slash) {
  PrefixMap map;
  map.option_ = option;
  CKPT_TRY(const auto texts, RuleTexts(rules));
  for (const std::string& text : texts) CKPT_TRY(map.Add(text, needs_slash));
  std::ranges::sort(map.rules_, [](const Rule& a, const Rule& b) {
    return a.from.size() != b.from.size() ? a.from.size() > b.from.size() : a.from < b.from;
  });
  return map;
}

Result<> PrefixMap::Add(const std::string& text, bool needs_slash) {
  const auto wrong = [&](std::string_view why) {
    return MakeError(ErrorCode::kUsage, "{} {}: {}", option_, text, why);
  };
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return wrong("OLD=NEW expected");
  const auto from = UnescapeOctal(text.substr(0, equals));
  const auto to = UnescapeOctal(text.substr(equals + 1));
  if (from.has_error() || to.has_error()) {
    return wrong("a backslash without three octal digits behind it");
  }
  if (needs_slash && !(from.value().starts_with('/') && to.value().starts_with('/'))) {
    return wrong("OLD and NEW have to start with a slash");
  }
  if (to.value().empty()) return wrong("NEW is empty");
  if (HasDots(from.value()) || HasDots(to.value())) return wrong("\".\" or \"..\" in a path");
  Rule rule{Normal(from.value()), Normal(to.value())};
  if (rule.from == rule.to) return wrong("OLD is NEW");
  const auto same = std::ranges::find(rules_, rule.from, &Rule::from);
  if (same == rules_.end()) {
    rules_.push_back(std::move(rule));
  } else if (same->to != rule.to) {
    return wrong(fmt::format("but also {} {}", option_, RuleText(same->from, same->to)));
  }
  return success();
}

std::optional<PrefixMap::Mapped> PrefixMap::Map(std::string_view path) {
  // CRIU writes the sources of mounts that it found by itself with two.
  const size_t more_slashes = path.starts_with('/') ? path.find_first_not_of('/', 1) : 1;
  const size_t skipped = more_slashes == std::string_view::npos ? 0 : more_slashes - 1;
  path.remove_prefix(skipped);
  for (Rule& rule : rules_) {
    if (!IsAtOrBelow(path, rule.from)) continue;
    rule.is_used = true;
    std::string mapped = rule.to + std::string(path.substr(rule.from.size()));
    // "/" itself is written as a slash, not as nothing.
    if (mapped.empty()) mapped = "/";
    if (rule.from.empty() && path == "/") mapped = rule.to.empty() ? "/" : rule.to;
    return Mapped{std::move(mapped), RuleText(rule.from, rule.to), rule.from.size() + skipped,
                  rule.to.size()};
  }
  if (!rules_.empty()) unmapped_.emplace(path);
  return std::nullopt;
}

Result<> PrefixMap::CheckAllUsed() const {
  const auto unused = std::ranges::find(rules_, false, &Rule::is_used);
  if (unused == rules_.end()) return success();
  std::vector<std::string_view> near(unmapped_.begin(), unmapped_.end());
  std::ranges::stable_sort(near, std::ranges::greater(),
                           [&](std::string_view path) { return Likeness(path, unused->from); });
  near.resize(std::min(near.size(), kMostNearMisses));
  std::string names;
  for (const std::string_view path : near) {
    names += (names.empty() ? "" : ", ") + FieldText(std::string(path));
  }
  return MakeError(ErrorCode::kNotFound, "{} {}: nothing in the dump is at or below OLD{}{}",
                   option_, RuleText(unused->from, unused->to),
                   names.empty() ? "" : "; near it: ", names);
}

}  // namespace ckpt
