// The arrows of the house: which folder may include headers of which.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace ckpt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::map<std::string_view, std::set<std::string_view>>& AllowedIncludes() {
  static const auto* const allowed = new std::map<std::string_view, std::set<std::string_view>>{
      {"base", {"base"}},
      {"formats", {"formats", "base"}},
      {"process", {"process", "base"}},
      {"dumper", {"dumper", "formats", "process", "base"}},
      {"restorer", {"restorer", "formats", "process", "base"}},
      {"imgtool", {"imgtool", "formats", "base"}},
      {"tests", {"tests", "imgtool", "restorer", "dumper", "process", "formats", "base"}},
  };
  return *allowed;
}

std::string_view TopFolder(std::string_view path) { return path.substr(0, path.find('/')); }

// The path in a line `#include "PATH"`, or nothing.
std::string_view IncludedPath(std::string_view line) {
  constexpr std::string_view kDirective = "#include \"";
  if (!line.starts_with(kDirective)) return {};
  line.remove_prefix(kDirective.size());
  return line.substr(0, line.find('"'));
}

// "FILE includes PATH" for each include of a source file that goes against the arrows.
std::vector<std::string> FindForbiddenIncludes(std::string_view file, std::string_view text) {
  std::vector<std::string> found;
  const auto& allowed = AllowedIncludes().at(TopFolder(file));
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view path = IncludedPath(line);
    if (path.empty() || allowed.contains(TopFolder(path))) continue;
    found.push_back(fmt::format("{} includes {}", file, path));
  }
  return found;
}

// The source tree: what the test has beside it is a link into that.
std::filesystem::path SourceTree() {
  return std::filesystem::canonical("tests/layers_test.cc").parent_path().parent_path();
}

bool IsSource(const std::filesystem::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc";
}

TEST(Layers, AnIncludeAgainstAnArrowIsFound) {
  EXPECT_THAT(FindForbiddenIncludes("formats/extra.h",
                                    "#include <string>\n"
                                    "#include \"base/file.h\"\n"
                                    "#include \"process/maps.h\"\n"),
              ElementsAre("formats/extra.h includes process/maps.h"));
  EXPECT_THAT(FindForbiddenIncludes("imgtool/main.cc", "#include \"dumper/refusals.h\""),
              ElementsAre("imgtool/main.cc includes dumper/refusals.h"));
}

TEST(Layers, AnIncludeAlongAnArrowIsNot) {
  EXPECT_THAT(FindForbiddenIncludes("dumper/main.cc",
                                    "#include \"process/maps.h\"\n#include \"formats/extra.h\"\n"),
              IsEmpty());
}

TEST(Layers, TheSourceTreeKeepsToTheArrows) {
  size_t seen = 0;
  for (const auto& [folder, allowed] : AllowedIncludes()) {
    const std::filesystem::path root = SourceTree();
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (!IsSource(entry.path())) continue;
      const Result<std::string> text = ReadWholeFile(entry.path());
      ASSERT_TRUE(text.has_value()) << text.error().message;
      const std::string name = std::filesystem::relative(entry.path(), root);
      EXPECT_THAT(FindForbiddenIncludes(name, text.value()), IsEmpty());
      ++seen;
    }
  }
  EXPECT_GT(seen, 10u);
}

}  // namespace
}  // namespace ckpt
