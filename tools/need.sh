# Sourced by ./cnn and ./test: finds what they need, installs Debian packages where it may.

# need_dotnet: the .NET SDK cannot be installed from Debian; say where it comes from.
need_dotnet() {
  command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^1[0-9]\.' && return
  echo "error: the .NET SDK 10 or newer is needed and was not found; see https://dotnet.microsoft.com/download" >&2
  exit 1
}

# need_packages COMMAND:PACKAGE ...: installs the packages whose commands are missing.
need_packages() {
  local missing=() pair
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  if ! command -v apt-get >/dev/null || { [ -n "$sudo" ] && ! command -v sudo >/dev/null; }; then
    echo "error: please install: ${missing[*]}" >&2
    exit 1
  fi
  echo "Installing ${missing[*]} with apt-get ..."
  # A package list that is old is good enough if the packages are still there.
  $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { $sudo apt-get update -q >/dev/null && $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null; } ||
    { echo "error: could not install ${missing[*]}; please install them yourself" >&2; exit 1; }
}
