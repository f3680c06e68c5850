#include "formats/compressed_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "formats/zstd_stream.h"

namespace ckpt {

namespace {

using namespace std::string_view_literals;

struct CompressionRow {
  Compression compression;
  std::string_view name;
  std::string_view magic;
  int (*add_reader)(archive*);  // null where it is not done through libarchive
  int (*add_writer)(archive*);
};

constexpr CompressionRow kRows[] = {
    {Compression::kNone, "no compression", "", nullptr, nullptr},
    {Compression::kGzip, "gzip", "\x1f\x8b"sv, archive_read_support_filter_gzip,
     archive_write_add_filter_gzip},
    {Compression::kBzip2, "bzip2", "BZh"sv, archive_read_support_filter_bzip2,
     archive_write_add_filter_bzip2},
    {Compression::kXz, "xz",
     "\xfd"
     "7zXZ"sv,
     archive_read_support_filter_xz, archive_write_add_filter_xz},
    {Compression::kZstd, "zstd", "\x28\xb5\x2f\xfd"sv, nullptr, nullptr},
};

const CompressionRow& RowOf(Compression compression) {
  return *std::ranges::find(kRows, compression, &CompressionRow::compression);
}

constexpr size_t kBlockBytes = size_t{256} << 10;

// A skippable frame of zstd starts with 5x 2a 4d 18.
bool IsSkippableFrame(std::string_view text) {
  return text.size() >= 4 && (static_cast<unsigned char>(text[0]) & 0xf0) == 0x50 &&
         text.substr(1, 3) == "\x2a\x4d\x18"sv;
}

class PlainReader : public DecompressedReader {
 public:
  PlainReader(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  Compression compression() const override { return Compression::kNone; }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    size_t filled = 0;
    while (filled < buffer.size()) {
      const ssize_t got = read(fd_, buffer.data() + filled, buffer.size() - filled);
      const int saved = errno;
      if (got < 0 && saved == EINTR) continue;
      if (got < 0) return ErrnoError(saved, "read({})", name_);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

 private:
  int fd_;
  std::string name_;
};

using ArchivePtr = std::unique_ptr<archive, int (*)(archive*)>;

class ArchiveReader : public DecompressedReader {
 public:
  static Result<std::unique_ptr<DecompressedReader>> Open(int fd, std::string name,
                                                          const CompressionRow& row) {
    auto reader = std::make_unique<ArchiveReader>(std::move(name), row);
    archive* handle = reader->archive_.get();
    archive_entry* entry = nullptr;
    const bool is_open = row.add_reader(handle) == ARCHIVE_OK &&
                         archive_read_support_format_raw(handle) == ARCHIVE_OK &&
                         archive_read_open_fd(handle, fd, kBlockBytes) == ARCHIVE_OK;
    const int first = is_open ? archive_read_next_header(handle, &entry) : ARCHIVE_FATAL;
    // Of an empty stream libarchive sees the end at once.
    reader->at_end_ = first == ARCHIVE_EOF;
    if (first != ARCHIVE_OK && first != ARCHIVE_EOF) return reader->Broken();
    return std::unique_ptr<DecompressedReader>(std::move(reader));
  }

  ArchiveReader(std::string name, const CompressionRow& row)
      : name_(std::move(name)), row_(row), archive_(archive_read_new(), archive_read_free) {}

  Compression compression() const override { return row_.compression; }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    size_t filled = 0;
    while (!at_end_ && filled < buffer.size()) {
      const la_ssize_t got =
          archive_read_data(archive_.get(), buffer.data() + filled, buffer.size() - filled);
      if (got < 0) return Broken();
      at_end_ = got == 0;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

 private:
  Error Broken() const {
    const char* why = archive_error_string(archive_.get());
    return MakeError(ErrorCode::kBadFormat, "{}: {}: {}", name_, row_.name,
                     why == nullptr ? "cannot be read" : why);
  }

  std::string name_;
  const CompressionRow& row_;
  ArchivePtr archive_;
  bool at_end_ = false;
};

class PlainWriter : public CompressedWriter {
 public:
  PlainWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  Result<> Write(Bytes bytes) override {
    if (buffer_.size() + bytes.size() < kBlockBytes) {
      buffer_.append(AsText(bytes));
      return success();
    }
    CKPT_TRY(Finish());
    return WriteAll(fd_, bytes, name_);
  }

  Result<> Finish() override { return WriteAll(fd_, AsBytes(std::exchange(buffer_, {})), name_); }

 private:
  int fd_;
  std::string name_;
  std::string buffer_;
};

class ArchiveWriter : public CompressedWriter {
 public:
  static Result<std::unique_ptr<CompressedWriter>> Create(int fd, std::string name,
                                                          const CompressionRow& row) {
    auto writer = std::make_unique<ArchiveWriter>(fd, std::move(name), row);
    archive* handle = writer->archive_.get();
    // A last block of its own length, not filled up with zeros behind the stream.
    const bool is_open = row.add_writer(handle) == ARCHIVE_OK &&
                         archive_write_set_format_raw(handle) == ARCHIVE_OK &&
                         archive_write_set_bytes_in_last_block(handle, 1) == ARCHIVE_OK;
    // Of xz alone; the others do not know the option.
    if (is_open) archive_write_set_filter_option(handle, "xz", "threads", "0");
    if (!is_open || !writer->Start()) return writer->Failed();
    return std::unique_ptr<CompressedWriter>(std::move(writer));
  }

  ArchiveWriter(int fd, std::string name, const CompressionRow& row)
      : fd_(fd),
        name_(std::move(name)),
        row_(row),
        archive_(archive_write_new(), archive_write_free) {}

  Result<> Write(Bytes bytes) override {
    while (!bytes.empty()) {
      const la_ssize_t done = archive_write_data(archive_.get(), bytes.data(), bytes.size());
      if (done <= 0) return Failed();
      bytes = bytes.subspan(static_cast<size_t>(done));
    }
    return success();
  }

  Result<> Finish() override {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return Failed();
    return success();
  }

 private:
  bool Start();

  static la_ssize_t WriteOut(archive*, void* self, const void* data, size_t size_bytes) {
    auto* writer = static_cast<ArchiveWriter*>(self);
    auto written = WriteAll(writer->fd_, Bytes(static_cast<const std::byte*>(data), size_bytes),
                            writer->name_);
    if (!written.has_error()) return static_cast<la_ssize_t>(size_bytes);
    writer->failure_ = std::move(written).error();
    return -1;
  }

  Error Failed() const {
    if (!failure_.message.empty()) return failure_;
    const char* why = archive_error_string(archive_.get());
    return MakeError(ErrorCode::kSystem, "{}: {}: {}", name_, row_.name,
                     why == nullptr ? "cannot be written" : why);
  }

  int fd_;
  std::string name_;
  const CompressionRow& row_;
  Error failure_;
  ArchivePtr archive_;
};

bool ArchiveWriter::Start() {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                       archive_entry_free);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_pathname(entry.get(), "data");
  return archive_write_open(archive_.get(), this, nullptr, WriteOut, nullptr) == ARCHIVE_OK &&
         archive_write_header(archive_.get(), entry.get()) == ARCHIVE_OK;
}

}  // namespace

std::string_view CompressionName(Compression compression) { return RowOf(compression).name; }

Compression IdentifyCompression(Bytes first_bytes) {
  const std::string_view text = AsText(first_bytes);
  if (IsSkippableFrame(text)) return Compression::kZstd;
  for (const CompressionRow& row : kRows) {
    if (!row.magic.empty() && text.starts_with(row.magic)) return row.compression;
  }
  return Compression::kNone;
}

Result<std::unique_ptr<DecompressedReader>> OpenDecompressed(int fd, std::string name) {
  std::array<std::byte, kCompressionMagicBytes> magic;
  const ssize_t got = pread(fd, magic.data(), magic.size(), 0);
  const int saved = errno;
  if (got < 0) return ErrnoError(saved, "read({})", name);
  const Compression compression = IdentifyCompression(Bytes(magic).first(static_cast<size_t>(got)));
  if (compression == Compression::kZstd) return OpenZstdReader(fd, std::move(name));
  if (compression != Compression::kNone) {
    return ArchiveReader::Open(fd, std::move(name), RowOf(compression));
  }
  return std::unique_ptr<DecompressedReader>(std::make_unique<PlainReader>(fd, std::move(name)));
}

Result<std::unique_ptr<CompressedWriter>> CreateCompressed(int fd, std::string name,
                                                           Compression compression) {
  if (compression == Compression::kZstd) return CreateZstdWriter(fd, std::move(name));
  if (compression != Compression::kNone) {
    return ArchiveWriter::Create(fd, std::move(name), RowOf(compression));
  }
  return std::unique_ptr<CompressedWriter>(std::make_unique<PlainWriter>(fd, std::move(name)));
}

}  // namespace ckpt
