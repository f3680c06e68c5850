#include "base/program_manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options/value_semantic.hpp>

namespace ckpt {
namespace {

namespace po = boost::program_options;
using testing::HasSubstr;

po::options_description Sample() {
  po::options_description options;
  options.add_options()("help,h", "show this help");
  options.add_options()("limit", po::value<int>()->value_name("BYTES")->default_value(5), "most");
  options.add_options()("compress", po::value<int>()->value_name("LEVEL")->implicit_value(3),
                        "pack");
  return options;
}

TEST(OptionTexts, SayWhatHelpSays) {
  const auto texts = OptionTexts(Sample());
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0].short_name, "-h");
  EXPECT_EQ(texts[0].long_name, "--help");
  EXPECT_EQ(texts[0].argument, "");
  EXPECT_FALSE(texts[0].takes_value);
  EXPECT_EQ(texts[1].short_name, "");
  EXPECT_EQ(texts[1].argument, " BYTES (=5)");
  EXPECT_TRUE(texts[1].takes_value);
  EXPECT_EQ(texts[2].argument, "[=LEVEL(=3)]");
}

TEST(ManualPage, HasItsSections) {
  ProgramManual manual;
  manual.name = "some-tool";
  manual.version = "some-tool 1";
  manual.summary = "does things";
  manual.synopsis = {"some-tool COMMAND"};
  manual.description = "It's .so.\n.so it is: `a\\b`.\n\n  kept\n   as it is\n";
  manual.options = OptionTexts(Sample());
  manual.commands = {{"act", "acts", "FILE", "Acts on FILE.\n", {}}};
  manual.see_also = {"other", "more"};
  const std::string page = ManualPage(manual);
  EXPECT_THAT(page, testing::StartsWith(".TH \"SOME\\-TOOL\" 1 \"\" \"some\\-tool 1\"\n"
                                        ".SH NAME\nsome\\-tool \\- does things\n"
                                        ".SH SYNOPSIS\n.nf\nsome\\-tool COMMAND\n.fi\n"));
  EXPECT_THAT(page, HasSubstr(".SH DESCRIPTION\n.PP\nIt\\(aqs .so.\n\\&.so it is: \\(gaa\\eb\\(ga."
                              "\n.PP\n.nf\n  kept\n   as it is\n.fi\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshow this help\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-limit\\fR BYTES (=5)\nmost\n"));
  EXPECT_THAT(page, HasSubstr(".SS act\n\\fBsome\\-tool act\\fR [\\fIOPTION\\fR]... FILE\n.PP\nacts"
                              "\n.PP\nActs on FILE.\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n.TP\n.B 0\ndone\n"));
  EXPECT_THAT(page, HasSubstr(".SH SEE ALSO\n.BR other (1),\n.BR more (1)\n"));
}

}  // namespace
}  // namespace ckpt
