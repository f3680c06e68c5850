#include "formats/tar_stream.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "formats/tar_header.h"

namespace ckpt {

namespace {

constexpr char kPax = 'x';
constexpr char kSolarisPax = 'X';
constexpr char kGlobalPax = 'g';
constexpr char kGnuName = 'L';
constexpr char kGnuLink = 'K';
constexpr size_t kMaxTrailerBytes = size_t{1} << 20;
// Of a GNU sparse header: whether a block with more of the map follows.
constexpr size_t kSparseMoreOffset = 482;
constexpr size_t kSparseMoreOffsetInMap = 504;

bool IsZeros(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char byte) { return byte == 0; });
}

bool IsKnownType(char type) { return type == 'S' || type == 0 || (type >= '0' && type <= '7'); }

// "27 path=/a/b\n", again and again.
Result<std::vector<PaxRecord>> ParsePax(std::string_view text) {
  std::vector<PaxRecord> records;
  while (!text.empty() && text[0] != '\0') {
    size_t length = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<size_t>(end - text.data());
    if (problem != std::errc() || length <= digits + 1 || length > text.size() ||
        text[digits] != ' ' || text[length - 1] != '\n') {
      return MakeError(ErrorCode::kBadFormat, "a pax record whose length is wrong");
    }
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) {
      return MakeError(ErrorCode::kBadFormat, "a pax record without a value");
    }
    records.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    text.remove_prefix(length);
  }
  return records;
}

std::string PaxText(const PaxRecord& record) {
  const size_t rest = record.first.size() + record.second.size() + 3;
  size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, record.first, record.second);
}

const std::string* FindRecord(const std::vector<PaxRecord>& records, std::string_view key) {
  const auto found = std::ranges::find(records, key, &PaxRecord::first);
  return found == records.end() ? nullptr : &found->second;
}

// The path in the header itself, which old GNU archives keep in the name alone.
std::string HeaderName(std::string_view block) {
  std::string name = TarText(block, kTarName);
  const bool is_ustar =
      block.substr(kTarMagic.offset, kTarMagic.size) == std::string_view("ustar\0", 6);
  const std::string prefix = is_ustar ? TarText(block, kTarPrefix) : std::string();
  return prefix.empty() ? name : prefix + "/" + name;
}

}  // namespace

struct TarReader::Extensions {
  std::optional<std::string> name;
  std::optional<std::string> link;
};

size_t TarPadding(uint64_t size_bytes) {
  return (kTarBlockBytes - size_bytes % kTarBlockBytes) % kTarBlockBytes;
}

Result<std::string> TarHeadersLike(const TarMember& member, std::string_view name,
                                   uint64_t size_bytes) {
  if (member.is_sparse) {
    return MakeError(ErrorCode::kUnsupported, "{}: a sparse member is not changed", member.name);
  }
  std::string block = member.headers.substr(member.headers.size() - kTarBlockBytes);
  std::vector<PaxRecord> records = member.records;
  std::erase_if(records, [](const PaxRecord& r) { return r.first == "path" || r.first == "size"; });
  if (name.size() > kTarName.size) records.emplace_back("path", name);
  SetTarText(block, kTarName, name.substr(0, kTarName.size));
  if (block.substr(kTarMagic.offset, kTarMagic.size) == std::string_view("ustar\0", 6)) {
    SetTarText(block, kTarPrefix, "");
  }
  SetTarNumber(block, kTarSize, size_bytes);
  SetTarChecksum(block);
  if (records.empty()) return member.global_headers + block;
  std::string text;
  for (const PaxRecord& record : records) text += PaxText(record);
  std::string pax = block;
  SetTarText(pax, kTarName, "PaxHeaders/member");
  SetTarText(pax, kTarTypeFlag, "x");
  SetTarNumber(pax, kTarSize, text.size());
  SetTarChecksum(pax);
  text.resize(text.size() + TarPadding(text.size()), '\0');
  return member.global_headers + pax + text + block;
}

Result<size_t> TarReader::Read(std::span<std::byte> buffer) {
  CKPT_TRY(const size_t got, source_(buffer));
  offset_ += got;
  return got;
}

Result<> TarReader::ReadExactly(std::span<std::byte> buffer) {
  CKPT_TRY(const size_t got, Read(buffer));
  if (got == buffer.size()) return success();
  return Bad("the archive is cut short: {} bytes more expected", buffer.size() - got);
}

Result<> TarReader::SkipRest() {
  std::vector<std::byte> buffer(size_t{64} << 10);
  uint64_t left = data_left_ + padding_left_;
  while (left > 0) {
    const size_t step = static_cast<size_t>(std::min<uint64_t>(left, buffer.size()));
    CKPT_TRY(ReadExactly(std::span(buffer).first(step)));
    left -= step;
  }
  data_left_ = 0;
  padding_left_ = 0;
  return success();
}

Result<size_t> TarReader::ReadData(std::span<std::byte> buffer) {
  const size_t step = static_cast<size_t>(std::min<uint64_t>(data_left_, buffer.size()));
  CKPT_TRY(ReadExactly(buffer.first(step)));
  data_left_ -= step;
  return step;
}

Result<std::string> TarReader::ReadAllData() {
  std::string data;
  std::vector<std::byte> buffer(
      static_cast<size_t>(std::min<uint64_t>(data_left_, size_t{1} << 20)));
  while (data_left_ > 0) {
    CKPT_TRY(const size_t got, ReadData(buffer));
    data += AsText(Bytes(buffer).first(got));
  }
  return data;
}

Result<std::string> TarReader::ReadPadding() {
  CKPT_CHECK(data_left_ == 0);
  std::string padding(padding_left_, '\0');
  CKPT_TRY(ReadExactly(std::as_writable_bytes(std::span(padding))));
  padding_left_ = 0;
  return padding;
}

Result<std::string> TarReader::ReadTrailer() {
  std::array<std::byte, kTarBlockBytes> block;
  while (true) {
    CKPT_TRY(const size_t got, Read(block));
    if (got == 0) return std::move(trailer_);
    trailer_ += AsText(Bytes(block).first(got));
    if (trailer_.size() > kMaxTrailerBytes) return Bad("{} bytes behind the end", trailer_.size());
  }
}

Result<std::string> TarReader::ReadExtension(uint64_t size_bytes, std::string& headers) {
  if (size_bytes > kMaxTarExtensionBytes - std::min(headers.size(), kMaxTarExtensionBytes)) {
    return MakeError(ErrorCode::kUnsupported,
                     "{}: at offset {}: an extension of {} bytes, at most {} allowed", name_,
                     offset_, size_bytes, kMaxTarExtensionBytes);
  }
  std::string data(static_cast<size_t>(size_bytes) + TarPadding(size_bytes), '\0');
  CKPT_TRY(ReadExactly(std::as_writable_bytes(std::span(data))));
  headers += data;
  data.resize(static_cast<size_t>(size_bytes));
  return data;
}

Result<> TarReader::TakeExtension(char type, uint64_t size_bytes, Extensions& extensions,
                                  TarMember& member) {
  const size_t start = member.headers.size() - kTarBlockBytes;
  CKPT_TRY(std::string data, ReadExtension(size_bytes, member.headers));
  if (type == kGnuName || type == kGnuLink) {
    data.resize(std::min(data.size(), data.find('\0')));
    (type == kGnuName ? extensions.name : extensions.link) = std::move(data);
    return success();
  }
  auto records = ParsePax(data);
  if (records.has_error()) return Bad("{}", records.error().message);
  if (type == kGlobalPax) {
    member.global_headers += member.headers.substr(start);
    return success();
  }
  for (PaxRecord& record : records.value()) {
    std::erase_if(member.records, [&](const PaxRecord& r) { return r.first == record.first; });
    member.records.push_back(std::move(record));
  }
  return success();
}

Result<> TarReader::ReadSparseMaps(std::string_view block, TarMember& member) {
  bool has_more = block[kSparseMoreOffset] != 0;
  while (has_more) {
    CKPT_TRY(const std::string map, ReadExtension(kTarBlockBytes, member.headers));
    has_more = map[kSparseMoreOffsetInMap] != 0;
  }
  return success();
}

Result<> TarReader::TakeHeader(std::string_view block, const Extensions& extensions,
                               TarMember& member) {
  const std::string* path = FindRecord(member.records, "path");
  const std::string* link = FindRecord(member.records, "linkpath");
  member.name = path != nullptr ? *path : extensions.name.value_or(HeaderName(block));
  member.link = link != nullptr ? *link : extensions.link.value_or(TarText(block, kTarLink));
  if (member.name.size() > kMaxTarNameBytes || member.link.size() > kMaxTarNameBytes) {
    return MakeError(ErrorCode::kUnsupported, "{}: at offset {}: a name of over {} bytes", name_,
                     offset_, kMaxTarNameBytes);
  }
  if (member.name.find('\0') != std::string::npos) return Bad("a name with a zero byte");
  if (const std::string* size = FindRecord(member.records, "size")) {
    const auto [end, problem] =
        std::from_chars(size->data(), size->data() + size->size(), member.size_bytes);
    if (problem != std::errc() || end != size->data() + size->size()) {
      return Bad("\"{}\" is no size", *size);
    }
  }
  const char type = block[kTarTypeFlag.offset];
  // '7', contiguous, and the zero of before POSIX are files.
  member.type = type == 0 || type == '7' ? TarType::kFile : static_cast<TarType>(type);
  member.is_sparse = member.type == TarType::kSparseFile ||
                     std::ranges::any_of(member.records, [](const PaxRecord& record) {
                       return record.first.starts_with("GNU.sparse.");
                     });
  // Of anything but files a size means nothing, and no data follows.
  const bool has_data = member.type == TarType::kFile || member.type == TarType::kSparseFile;
  if (!has_data) member.size_bytes = 0;
  if (member.type == TarType::kSparseFile) CKPT_TRY(ReadSparseMaps(block, member));
  data_left_ = member.size_bytes;
  padding_left_ = TarPadding(member.size_bytes);
  return success();
}

Result<std::optional<TarMember>> TarReader::Next() {
  CKPT_TRY(SkipRest());
  TarMember member;
  Extensions extensions;
  while (true) {
    std::string block(kTarBlockBytes, '\0');
    CKPT_TRY(const size_t got, Read(std::as_writable_bytes(std::span(block))));
    if (got == 0 && member.headers.empty()) return std::optional<TarMember>();
    if (got < kTarBlockBytes) return Bad("the archive is cut short");
    if (IsZeros(block)) {
      if (!member.headers.empty()) return Bad("an extension without a member");
      trailer_ = std::move(block);
      return std::optional<TarMember>();
    }
    if (!TarChecksumHolds(block)) return Bad("no tar header: its checksum does not hold");
    auto size = TarNumber(block, kTarSize);
    if (size.has_error()) return Bad("size: {}", size.error().message);
    if (size.value() > UINT64_MAX / 2) return Bad("a size of {} bytes", size.value());
    member.headers += block;
    const char type = block[kTarTypeFlag.offset];
    if (type == kPax || type == kSolarisPax || type == kGlobalPax || type == kGnuName ||
        type == kGnuLink) {
      CKPT_TRY(TakeExtension(type, size.value(), extensions, member));
      continue;
    }
    if (!IsKnownType(type)) {
      return MakeError(ErrorCode::kUnsupported, "{}: at offset {}: a member of type {:#x}", name_,
                       offset_, static_cast<unsigned char>(type));
    }
    member.size_bytes = size.value();
    CKPT_TRY(TakeHeader(block, extensions, member));
    return std::optional<TarMember>(std::move(member));
  }
}

}  // namespace ckpt
