# bash completion of imgtool, made by the program itself
_imgtool() {
  local current=${COMP_WORDS[COMP_CWORD]}
  local options="" words="aufs-fixup branches check completion compress core decode decompress diff encode help info mem pack rewrite show squash types undo unpack x"
  if ((COMP_CWORD > 1)); then
    options= words=
    case ${COMP_WORDS[1]} in
    aufs-fixup)
      options="-h --help -b --branches -o --output --in-place -n --dry-run --json --max-unpacked --max-members --max-ratio --max-images -r --root --on-shadowed --on-deleted -m --ext-mount-map --mount-root --mount-ref -f --force"
      words=""
      ;;
    branches)
      options="-h --help -d --dump --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    check)
      options="-h --help --root --json --rules --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    completion)
      options="-h --help"
      words="bash zsh"
      ;;
    compress)
      options="-h --help -l --level -j --threads -o --output --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    core)
      options="-h --help -o --output --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    decode)
      options="-h --help -i --in -o --out --pretty --ndjson --lossless --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    decompress)
      options="-h --help -j --threads -o --output --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    diff)
      options="-h --help --json --no-pages --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    encode)
      options="-h --help -i --in -o --out"
      words=""
      ;;
    help)
      options="-h --help --manual"
      words="aufs-fixup branches check completion compress core decode decompress diff encode help info mem pack rewrite show squash types undo unpack x"
      ;;
    info)
      options="-h --help --json --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    mem)
      options="-h --help --range -o --output --fill --regex --null --json --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    pack)
      options="-h --help -o --output"
      words=""
      ;;
    rewrite)
      options="-h --help --path --mount --ext-mount-map --restat --port --ip --cgroup --hostname --uid-shift --anonymise --analyze -o --output --in-place -n --dry-run --json --max-unpacked --max-members --max-ratio --max-images"
      words=""
      ;;
    show)
      options="-h --help --pretty --ndjson --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    squash)
      options="-h --help -o --output -j --threads -l --level --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    types)
      options="-h --help --json"
      words=""
      ;;
    undo)
      options="-h --help --forget"
      words=""
      ;;
    unpack)
      options="-h --help -o --output --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    x)
      options="-h --help --json -p --pid --args --max-unpacked --max-members --max-ratio"
      words=""
      ;;
    esac
  fi
  if [[ $current == -* ]]; then words=$options; fi
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -o bashdefault -o default -F _imgtool imgtool
