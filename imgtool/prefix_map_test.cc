#include "imgtool/prefix_map.h"

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

class PrefixMapTest : public DirectoryFixture {};

PrefixMap Map(const std::vector<std::string>& rules) {
  return PrefixMap::Parse("--path", rules).value();
}
std::string Mapped(PrefixMap map, std::string_view path) {
  const auto mapped = map.Map(path);
  return mapped ? mapped->path : "(none)";
}
std::string ErrorOf(const std::vector<std::string>& rules) {
  return PrefixMap::Parse("--path", rules).error().message;
}

TEST_F(PrefixMapTest, WholeComponentsAreMapped) {
  const PrefixMap map = Map({"/d/ID/=/new"});
  EXPECT_EQ(Mapped(map, "/d/ID"), "/new");
  EXPECT_EQ(Mapped(map, "/d/ID/x/y"), "/new/x/y");
  EXPECT_EQ(Mapped(map, "/d/ID-init/x"), "(none)");
  EXPECT_EQ(Mapped(map, "/e/d/ID"), "(none)");
  EXPECT_EQ(Mapped(map, "//d/ID/x"), "/new/x") << "as CRIU writes sources";
}

TEST_F(PrefixMapTest, TheRootIsAPrefixToo) {
  EXPECT_EQ(Mapped(Map({"/=/jail"}), "/"), "/jail");
  EXPECT_EQ(Mapped(Map({"/=/jail"}), "/a"), "/jail/a");
  EXPECT_EQ(Mapped(Map({"/jail=/"}), "/jail"), "/");
  EXPECT_EQ(Mapped(Map({"/jail=/"}), "/jail/a"), "/a");
}

TEST_F(PrefixMapTest, TheLongestOldWinsWhateverTheOrder) {
  for (const auto& rules : {std::vector<std::string>{"/a=/1", "/a/b=/2"},
                            std::vector<std::string>{"/a/b=/2", "/a=/1", "/a=/1"}}) {
    EXPECT_EQ(Mapped(Map(rules), "/a/b/c"), "/2/c");
    EXPECT_EQ(Mapped(Map(rules), "/a/c"), "/1/c");
  }
}

TEST_F(PrefixMapTest, RulesMayStandInAFileAndHaveEscapes) {
  const std::string file = Put("rules", "# moved\n/a\\075b=/c\n\n/x y=/\\377\n");
  const PrefixMap map = Map({"@" + file});
  EXPECT_EQ(Mapped(map, "/a=b/z"), "/c/z");
  EXPECT_EQ(Mapped(map, "/x y"), "/\xff");
  EXPECT_EQ(PrefixMap::Parse("--path", {"@" + file + "x"}).error().code, ErrorCode::kNotFound);
}

TEST_F(PrefixMapTest, RulesThatMeanNothingAreRefused) {
  EXPECT_EQ(ErrorOf({"/a"}), "--path /a: OLD=NEW expected");
  EXPECT_EQ(ErrorOf({"=/a"}), "--path =/a: OLD=NEW expected");
  EXPECT_EQ(ErrorOf({"a=/b"}), "--path a=/b: OLD and NEW have to start with a slash");
  EXPECT_EQ(ErrorOf({"/a=/b/../c"}), "--path /a=/b/../c: \".\" or \"..\" in a path");
  EXPECT_EQ(ErrorOf({"/a=//a/"}), "--path /a=//a/: OLD is NEW");
  EXPECT_EQ(ErrorOf({"/a\\9=/b"}),
            "--path /a\\9=/b: a backslash without three octal digits behind it");
  EXPECT_EQ(ErrorOf({"/a=/b", "/a=/c"}), "--path /a=/c: but also --path /a=/b");
}

TEST_F(PrefixMapTest, ARuleThatMappedNothingNamesWhatComesClose) {
  PrefixMap map = Map({"/var/lib/app=/x", "/etc=/y"});
  for (const char* path : {"/etc/hosts", "/usr/lib/app/a.so", "/var/lib/ap", "/home", "/bin/sh",
                           "/bin/ls", "/bin/cp"}) {
    map.Map(path);
  }
  EXPECT_EQ(map.CheckAllUsed().error().message,
            "--path /var/lib/app=/x: nothing in the dump is at or below OLD; near it: "
            "\"/usr/lib/app/a.so\", \"/var/lib/ap\", \"/bin/cp\", \"/bin/ls\", \"/bin/sh\"");
  EXPECT_EQ(map.CheckAllUsed().error().code, ErrorCode::kNotFound);
  map.Map("/var/lib/app");
  EXPECT_TRUE(map.CheckAllUsed());
}

}  // namespace
}  // namespace ckpt
