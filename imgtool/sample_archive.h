// For tests: tar archives made of names and contents.
#ifndef IMGTOOL_SAMPLE_ARCHIVE_H_
#define IMGTOOL_SAMPLE_ARCHIVE_H_

#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/compressed_stream.h"
#include "formats/tar_header.h"
#include "formats/tar_stream.h"

namespace ckpt {

inline std::string SampleTarMember(std::string_view name, const std::string& data, char type = '0',
                                   std::string_view link = "") {
  std::string block(kTarBlockBytes, '\0');
  SetTarText(block, kTarName, name);
  SetTarNumber(block, kTarMode, 0640);
  SetTarNumber(block, kTarSize, data.size());
  block[kTarTypeFlag.offset] = type;
  SetTarText(block, kTarLink, link);
  SetTarText(block, kTarMagic, "ustar");
  block.replace(263, 2, "00");
  SetTarChecksum(block);
  block += data;
  block.resize(block.size() + TarPadding(data.size()), '\0');
  return block;
}

inline std::string SampleTar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  for (const auto& [name, data] : files) tar += SampleTarMember(name, data);
  return tar + std::string(20 * kTarBlockBytes, '\0');
}

inline void WriteCompressed(const std::string& path, const std::string& bytes,
                            Compression compression) {
  const UniqueFd fd = OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, 0640).value();
  const auto writer = CreateCompressed(fd.get(), path, compression).value();
  CKPT_CHECK(writer->Write(AsBytes(bytes)).has_value() && writer->Finish().has_value());
}

inline std::string ReadDecompressed(const std::string& path) {
  const UniqueFd fd = OpenFile(path, O_RDONLY).value();
  const auto reader = OpenDecompressed(fd.get(), path).value();
  std::vector<std::byte> buffer(size_t{1} << 20);
  std::string bytes;
  while (true) {
    const size_t got = reader->Read(buffer).value();
    if (got == 0) return bytes;
    bytes += AsText(Bytes(buffer).first(got));
  }
}

}  // namespace ckpt

#endif  // IMGTOOL_SAMPLE_ARCHIVE_H_
