// Tar archives as they are in a stream: each member with the original bytes of its headers, so that
// what nobody changed can be written as it was. ustar, pax and GNU long names are understood.
// Source: pax in POSIX.1-2008, tar(5) of GNU tar.
#ifndef FORMATS_TAR_STREAM_H_
#define FORMATS_TAR_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace ckpt {

inline constexpr size_t kTarBlockBytes = 512;

enum class TarType : char {
  kFile = '0',
  kHardLink = '1',
  kSymlink = '2',
  kCharacterDevice = '3',
  kBlockDevice = '4',
  kDirectory = '5',
  kFifo = '6',
  kSparseFile = 'S',
};

// A record of a pax header.
using PaxRecord = std::pair<std::string, std::string>;

struct TarMember {
  std::string name;
  std::string link;  // of links: where they lead
  TarType type = TarType::kFile;
  bool is_sparse = false;   // its data is not its content
  uint64_t size_bytes = 0;  // of its data, without padding
  // All blocks from the end of the last member to the data: those of extensions, then the header.
  std::string headers;
  std::string global_headers;      // the part of `headers` that is of pax for all that follows
  std::vector<PaxRecord> records;  // of pax for this member alone
};

// Zeros that follow data of that size.
size_t TarPadding(uint64_t size_bytes);

// The headers of a member like `member` with another name and size: owner, mode, times and all that
// pax says otherwise stay. kUnsupported for a sparse one.
Result<std::string> TarHeadersLike(const TarMember& member, std::string_view name,
                                   uint64_t size_bytes);

// Limits on what strangers send: a name or link, all extensions of one member.
inline constexpr size_t kMaxTarNameBytes = 4096;
inline constexpr size_t kMaxTarExtensionBytes = size_t{1} << 20;

class TarReader {
 public:
  // Fills the buffer as far as there are bytes, and says how far.
  using Source = std::function<Result<size_t>(std::span<std::byte> buffer)>;

  // `name` is for errors.
  TarReader(std::string name, Source source) : name_(std::move(name)), source_(std::move(source)) {}

  // The next member; data of the last one that was not read is passed over. Nothing at the end:
  // two blocks of zeros, or one, or the end of the stream between members. kBadFormat: a header
  // whose checksum or numbers are wrong, a stream that is cut short. kUnsupported: a type that is
  // none of the above, or a limit that is exceeded.
  Result<std::optional<TarMember>> Next();

  // The data of the current member, then nothing.
  Result<size_t> ReadData(std::span<std::byte> buffer);
  Result<std::string> ReadAllData();
  // What follows the data, up to the next block.
  Result<std::string> ReadPadding();

  // All that is behind the last member, once Next() returned nothing. More than a mebibyte that is
  // not zeros is no end of an archive, kBadFormat.
  Result<std::string> ReadTrailer();

 private:
  struct Extensions;

  template <typename... Args>
  Error Bad(fmt::format_string<Args...> text, Args&&... args) const {
    return MakeError(ErrorCode::kBadFormat, "{}: at offset {}: {}", name_, offset_,
                     fmt::format(text, std::forward<Args>(args)...));
  }
  Result<size_t> Read(std::span<std::byte> buffer);
  Result<> ReadExactly(std::span<std::byte> buffer);
  Result<> SkipRest();
  Result<std::string> ReadExtension(uint64_t size_bytes, std::string& headers);
  Result<> TakeExtension(char type, uint64_t size_bytes, Extensions& extensions, TarMember& member);
  Result<> TakeHeader(std::string_view block, const Extensions& extensions, TarMember& member);
  Result<> ReadSparseMaps(std::string_view block, TarMember& member);

  std::string name_;
  Source source_;
  uint64_t offset_ = 0;
  uint64_t data_left_ = 0;
  size_t padding_left_ = 0;
  std::string trailer_;
};

}  // namespace ckpt

#endif  // FORMATS_TAR_STREAM_H_
