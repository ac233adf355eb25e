use std::fs;
use std::net::SocketAddr;

/// Which process listens on a port of this machine, if that can be known: proc(5) names the owner of
/// a socket only to the same user and to root.
pub(crate) fn occupant(address: SocketAddr) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).ok());
    let inode =
        tables.iter().flatten().flat_map(|table| table.lines().skip(1)).find_map(|line| {
            // Number, local address, remote address, state, …; the tenth is the inode. State 0A listens.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, port) = fields.get(1)?.rsplit_once(':')?;
            let listens = *fields.get(3)? == "0A";
            let same = u16::from_str_radix(port, 16).ok()? == address.port();
            (listens && same).then(|| (*fields.get(9)?).parse::<u64>().ok())?
        })?;
    let link = format!("socket:[{inode}]");
    let mut entries = fs::read_dir("/proc").ok()?.flatten();
    entries.find_map(|entry| {
        let process = entry.path();
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let fds = fs::read_dir(process.join("fd")).ok()?.flatten();
        let mut targets = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
        targets.find(|target| target.as_os_str() == &*link)?;
        let name = fs::read_to_string(process.join("comm")).ok()?;
        Some(format!("{} (process {pid})", name.trim_end()))
    })
}
