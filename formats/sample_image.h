// For tests: an image of every type, with every field of its messages set.
#ifndef FORMATS_SAMPLE_IMAGE_H_
#define FORMATS_SAMPLE_IMAGE_H_

#include <string>
#include <vector>

#include "formats/image_reader.h"
#include "formats/image_type.h"

namespace ckpt {

// The bytes of an image with two entries; with chunks for GHOST_FILE. Not for raw types.
std::string SampleImage(ImageType type, HeaderVersion version = HeaderVersion::kCurrent);

// Every type that is not raw.
std::vector<ImageType> TypesWithEntries();

}  // namespace ckpt

#endif  // FORMATS_SAMPLE_IMAGE_H_
