#include "restorer/ghost_images.h"

#include <utility>

#include "formats/image_message.h"

namespace ckpt {

namespace {

Result<> AddChunk(const ImageEntry& entry, GhostImage& ghost) {
  CKPT_TRY(const auto chunk, ParseMessageAs<pb::ghost_chunk_entry>(entry.message));
  if (chunk.off() > ghost.size_bytes || chunk.len() > ghost.size_bytes - chunk.off()) {
    return MakeError(ErrorCode::kBadFormat,
                     "a chunk of {} bytes at byte {} is outside of a file of {} bytes", chunk.len(),
                     chunk.off(), ghost.size_bytes);
  }
  ghost.chunks.push_back({chunk.off(), std::string(AsText(entry.extra))});
  return success();
}

Result<GhostImage> ParseGhost(const ImageFile& image) {
  GhostImage ghost;
  if (image.entries().empty()) return MakeError(ErrorCode::kBadFormat, "holds no entry");
  const ImageEntry& first = image.entries().front();
  CKPT_TRY(ghost.entry, ParseMessageAs<pb::ghost_file_entry>(first.message));
  if (!ghost.entry.chunks()) {
    ghost.size_bytes = first.extra.size();
    if (!first.extra.empty()) ghost.chunks.push_back({0, std::string(AsText(first.extra))});
    return ghost;
  }
  ghost.size_bytes = ghost.entry.size();
  for (size_t i = 1; i < image.entries().size(); ++i) {
    CKPT_TRY(AddChunk(image.entries()[i], ghost));
  }
  return ghost;
}

}  // namespace

Result<std::map<uint32_t, GhostImage>> LoadGhostImages(
    const DumpDirectory& dump, const std::vector<pb::remap_file_path_entry>& remaps) {
  std::map<uint32_t, GhostImage> ghosts;
  for (const pb::remap_file_path_entry& remap : remaps) {
    // CRIU's before 2.0 knew no other kind.
    if (remap.has_remap_type() && remap.remap_type() != pb::GHOST) continue;
    if (ghosts.contains(remap.remap_id())) continue;
    CKPT_TRY(const ImageFile image, dump.Read(ImageType::kGhostFile, remap.remap_id()));
    Result<GhostImage> ghost = ParseGhost(image);
    if (ghost.has_error()) {
      return std::move(ghost).error().In(ImageFileName(ImageType::kGhostFile, remap.remap_id()));
    }
    ghosts.emplace(remap.remap_id(), std::move(ghost).value());
  }
  return ghosts;
}

}  // namespace ckpt
