#include "imgtool/mountinfo_line.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "imgtool/octal_text.h"

namespace ckpt {

namespace {

using Words = std::vector<std::string_view>;

constexpr std::string_view kHalves = " - ";
// Mount id, parent, device, root, mountpoint, options; then optional fields without a number.
constexpr size_t kFewestFirstWords = 6;
constexpr size_t kMountsWords = 6;
constexpr uint32_t kMinorBits = 20;

Words SplitWords(std::string_view line) {
  Words words;
  while (!line.empty()) {
    const size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::optional<uint32_t> FindNumber(std::string_view word) {
  uint32_t number = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (problem != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

std::optional<uint32_t> FindDevice(std::string_view word) {
  const size_t colon = std::min(word.find(':'), word.size());
  const auto major = FindNumber(word.substr(0, colon));
  const auto minor = FindNumber(word.substr(std::min(colon + 1, word.size())));
  if (!major || !minor || *major >= 1U << 12 || *minor >= 1U << kMinorBits) return std::nullopt;
  return *major << kMinorBits | *minor;
}

Error Malformed(std::string_view line, std::string_view why) {
  return MakeError(ErrorCode::kBadFormat, "\"{}\": {}", EscapeOctal(line), why);
}

Result<> SetWord(std::string_view word, std::string& field) {
  CKPT_TRY(field, UnescapeOctal(word));
  return success();
}

// "AUFS or any other source may be empty": mountinfo then has two words behind the " - ".
Result<> ParseSecondHalf(std::string_view line, const Words& words, MountLine& mount) {
  if (words.size() < 2 || words.size() > 3) {
    return Malformed(line, "type, source and options expected behind \" - \"");
  }
  CKPT_TRY(SetWord(words[0], mount.fstype));
  if (words.size() == 3) CKPT_TRY(SetWord(words[1], mount.source));
  mount.options = words.back();
  return success();
}

Result<MountLine> ParseMountinfo(std::string_view line) {
  const size_t middle = line.find(kHalves);
  const Words first = SplitWords(line.substr(0, middle));
  if (first.size() < kFewestFirstWords) {
    return Malformed(line, "6 or more fields expected in front of \" - \"");
  }
  MountLine mount;
  mount.mnt_id = FindNumber(first[0]);
  if (!mount.mnt_id) return Malformed(line, "a mount id expected in front");
  const auto device = FindDevice(first[2]);
  if (!device) return Malformed(line, "a device MAJOR:MINOR expected as third field");
  mount.device = *device;
  CKPT_TRY(SetWord(first[3], mount.root));
  CKPT_TRY(SetWord(first[4], mount.mountpoint));
  CKPT_TRY(ParseSecondHalf(line, SplitWords(line.substr(middle + kHalves.size())), mount));
  return mount;
}

Result<MountLine> ParseMounts(const Words& words) {
  MountLine mount;
  CKPT_TRY(SetWord(words[0], mount.source));
  CKPT_TRY(SetWord(words[1], mount.mountpoint));
  CKPT_TRY(SetWord(words[2], mount.fstype));
  mount.options = words[3];
  return mount;
}

}  // namespace

bool IsMountinfoLine(std::string_view line) {
  if (line.find(kHalves) == std::string_view::npos) return false;
  const Words words = SplitWords(line);
  return words.size() > kFewestFirstWords && FindNumber(words[0]) && FindDevice(words[2]);
}

bool IsMountsLine(std::string_view line) {
  const Words words = SplitWords(line);
  return words.size() == kMountsWords && words[1].starts_with('/') && FindNumber(words[4]) &&
         FindNumber(words[5]);
}

Result<MountLine> ParseMountLine(std::string_view line) {
  if (line.find(kHalves) != std::string_view::npos) return ParseMountinfo(line);
  const Words words = SplitWords(line);
  if (words.size() == kMountsWords) return ParseMounts(words);
  return Malformed(line, "neither a line of mountinfo nor one of /proc/mounts");
}

}  // namespace ckpt
