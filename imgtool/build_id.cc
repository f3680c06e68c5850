#include "imgtool/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr size_t kBeginningBytes = size_t{1} << 20;
constexpr size_t kMostHeaders = 64;
constexpr size_t kMostNoteBytes = size_t{64} << 10;
constexpr std::string_view kOwner("GNU\0", 4);
constexpr size_t kWordBytes = 4;

// A structure of <elf.h> at an offset, if the bytes reach that far.
template <typename T>
std::optional<T> ReadAt(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

size_t Padded(size_t size) { return (size + kWordBytes - 1) / kWordBytes * kWordBytes; }

// Elf64_Nhdr and Elf32_Nhdr are alike.
std::optional<std::string> FindInNotes(std::string_view notes) {
  while (const auto note = ReadAt<Elf64_Nhdr>(notes, 0)) {
    notes.remove_prefix(sizeof(Elf64_Nhdr));
    const size_t name_bytes = Padded(note->n_namesz);
    if (name_bytes > notes.size() || note->n_descsz > notes.size() - name_bytes) break;
    const std::string_view name = notes.substr(0, note->n_namesz);
    if (note->n_type == NT_GNU_BUILD_ID && name == kOwner) {
      return std::string(notes.substr(name_bytes, note->n_descsz));
    }
    notes.remove_prefix(std::min(name_bytes + Padded(note->n_descsz), notes.size()));
  }
  return std::nullopt;
}

template <typename Header, typename ProgramHeader>
std::optional<std::string> FindInFile(std::string_view bytes) {
  const auto header = ReadAt<Header>(bytes, 0);
  if (!header || header->e_phentsize != sizeof(ProgramHeader)) return std::nullopt;
  const size_t count = std::min<size_t>(header->e_phnum, kMostHeaders);
  for (size_t i = 0; i < count; ++i) {
    const auto program =
        ReadAt<ProgramHeader>(bytes, uint64_t{header->e_phoff} + i * sizeof(ProgramHeader));
    if (!program) break;
    if (program->p_type != PT_NOTE || program->p_offset > bytes.size()) continue;
    const size_t size = std::min<size_t>(program->p_filesz, kMostNoteBytes);
    if (auto found = FindInNotes(bytes.substr(program->p_offset, size))) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FindBuildId(std::string_view bytes) {
  if (bytes.size() < EI_NIDENT || !bytes.starts_with(ELFMAG)) return std::nullopt;
  if (bytes[EI_DATA] != ELFDATA2LSB) return std::nullopt;
  if (bytes[EI_CLASS] == ELFCLASS64) return FindInFile<Elf64_Ehdr, Elf64_Phdr>(bytes);
  if (bytes[EI_CLASS] == ELFCLASS32) return FindInFile<Elf32_Ehdr, Elf32_Phdr>(bytes);
  return std::nullopt;
}

Result<std::optional<std::string>> ReadBuildId(const std::string& path) {
  CKPT_TRY(const UniqueFd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  std::string beginning(kBeginningBytes, '\0');
  size_t filled = 0;
  while (filled < beginning.size()) {
    const ssize_t got = read(fd.get(), beginning.data() + filled, beginning.size() - filled);
    const int saved = errno;
    if (got < 0 && saved == EINTR) continue;
    if (got < 0) return ErrnoError(saved, "read({})", path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return FindBuildId(std::string_view(beginning).substr(0, filled));
}

std::vector<int64_t> BuildIdWords(std::string_view build_id) {
  std::vector<int64_t> words;
  for (size_t at = 0; at < build_id.size(); at += kWordBytes) {
    std::array<char, kWordBytes> bytes{};
    const std::string_view part = build_id.substr(at, kWordBytes);
    std::ranges::copy(part, bytes.begin());
    uint32_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    words.push_back(int64_t{word});
  }
  return words;
}

}  // namespace ckpt
