#pragma once

#include <string>
#include <string_view>

#include "config/settings.h"

namespace stormo::config {

/// The help of a setting as a sentence for readers of the file: it names other settings by their
/// keys, not by their flags.
std::string sentenceOf(const SettingSpec& spec);

/// The default of a setting in the syntax of the file: 30, true, "info", ["websocket://…"].
std::string defaultOf(const SettingSpec& spec);

/// A configuration file in which every setting has its meaning as a comment, and its default as a
/// line that is commented out. Only `listen` is set, to loopback.
std::string sampleFile();

/// Lines of at most `columns` bytes, broken at spaces, each after `prefix`. Longer words stay
/// whole.
std::string wrapped(std::string_view text, std::string_view prefix, std::size_t columns);

}  // namespace stormo::config
