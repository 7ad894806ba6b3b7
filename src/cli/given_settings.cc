#include "cli/given_settings.h"

#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "process/command_line.h"

namespace stormo::cli {

GivenSettings::GivenSettings() : environment_(environ) {}

void GivenSettings::addFile(CLI::App& app) {
  process::takesFile(app.add_option(
      "--config", file_, "TOML file with settings; environment variables and flags override it"));
}

void GivenSettings::addFlags(CLI::App& app, bool onlyOfChannel) {
  onlyOfChannel_ = onlyOfChannel;
  for (const config::SettingSpec& spec : config::settingSpecs()) {
    if (spec.isOfLog() || (onlyOfChannel && !spec.isOfChannel())) continue;
    CLI::Option* option = app.add_option_function<std::vector<std::string>>(
        spec.flag,
        [this, &spec](const std::vector<std::string>& words) { flags_.emplace_back(&spec, words); },
        spec.help);
    option->type_name("")->group("Settings");
    if (spec.isFlag()) {
      // The first call makes a missing value "true", the second lets one follow.
      option->expected(0)->expected(0, 1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
    if (spec.isFile()) process::takesFile(option);
  }
}

void GivenSettings::warn(const std::string& programName) const {
  for (const std::string& warning : environment_.warnings()) {
    std::fprintf(stderr, "%s: warning: %s\n", programName.c_str(), warning.c_str());
  }
}

config::Settings GivenSettings::resolve(process::CommandLine& commandLine) const {
  config::Settings settings;
  if (!file_.empty()) {
    const std::vector<std::string> complaints =
        config::applyText(file_, commandLine.fileAtStart(file_), settings);
    if (!complaints.empty()) {
      throw std::runtime_error(
          complaints.front() +
          (complaints.size() == 1 ? "" : " (and more: see 'stormo check-config')"));
    }
  }
  environment_.apply(settings, onlyOfChannel_);
  for (const auto& [spec, words] : flags_) config::applyFlag(*spec, words, settings);
  return settings;
}

std::vector<std::string> GivenSettings::readFile(const std::string& path,
                                                 config::Settings& settings) const {
  std::vector<std::string> complaints = config::applyFile(path, settings);
  try {
    environment_.apply(settings);
  } catch (const std::invalid_argument& wrong) {
    complaints.emplace_back(wrong.what());
  }
  return complaints;
}

}  // namespace stormo::cli
