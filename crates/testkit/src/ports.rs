//! Ports that are free and stay so.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
};

use anyhow::{Context, Result};

/// Below the ports that Linux gives to outgoing connections (from 32768), which could take one at any moment.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that nobody listens on. It is ours among all test processes of this user until dropped, so the
/// time until a server takes it is no race.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// # Errors
    /// When all ports are taken, or the folder of the locks can't be written.
    pub fn free() -> Result<Self> {
        let folder = env::temp_dir().join(format!("heliograph-ports-{}", rustix::process::getuid().as_raw()));
        fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        // Processes begin at different places, so that they rarely try the same.
        let first = usize::try_from(process::id())? * 37 % RANGE.len();
        for number in RANGE.skip(first).chain(RANGE.take(first)) {
            let path = folder.join(number.to_string());
            let lock = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
            let free = lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
            if free {
                return Ok(Self { number, _lock: lock });
            }
        }
        anyhow::bail!("no port from {} to {} is free", RANGE.start, RANGE.end)
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// 127.0.0.1 and its number.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_port_is_another_and_can_be_listened_on() {
        let ports: Vec<Port> = (0..50).map(|_| Port::free().unwrap()).collect();
        assert_eq!(ports.iter().map(Port::number).collect::<BTreeSet<_>>().len(), 50);
        let listeners: Vec<_> = ports
            .iter()
            .map(|port| TcpListener::bind(port.address()).unwrap())
            .collect();
        assert_eq!(listeners.len(), 50);
    }

    #[test]
    fn a_port_that_was_given_back_is_given_again() {
        let (first, held) = (Port::free().unwrap(), Port::free().unwrap());
        let number = first.number();
        drop(first);
        assert!((0..=RANGE.len()).any(|_| Port::free().unwrap().number() == number));
        assert_ne!(held.number(), number);
    }
}
