//! All layers together, from which the calendar of a place is taken.

use super::{Calendar, CalendarFault, CalendarLayer, LayerLevel};

/// The code that stands for the country where a place is named.
const COUNTRY: &str = "000000";

/// Every layer that is loaded, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarSet {
    layers: Vec<CalendarLayer>,
}

impl CalendarSet {
    /// Reads layers from files, as (file name, TOML text); every fault of every file is reported.
    pub fn load_from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<CalendarFault>> {
        let mut layers = Vec::new();
        let mut faults = Vec::new();
        for (file, text) in files {
            match toml::from_str::<CalendarLayer>(text) {
                Ok(layer) => layers.push(layer),
                Err(error) => {
                    faults.push(CalendarFault::Unreadable { file: file.to_owned(), detail: error.to_string() });
                }
            }
        }
        match Self::try_new(layers) {
            Ok(set) if faults.is_empty() => Ok(set),
            Ok(_) => Err(faults),
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
        }
    }

    /// Takes parsed layers; every fault is reported.
    pub fn try_new(mut layers: Vec<CalendarLayer>) -> Result<Self, Vec<CalendarFault>> {
        // National before province before county, older before newer: the later one wins when merged.
        layers.sort_by(|a, b| (a.level, a.year, &a.id).cmp(&(b.level, b.year, &b.id)));
        let mut faults: Vec<_> = layers.iter().flat_map(CalendarLayer::faults).collect();
        for (index, layer) in layers.iter().enumerate() {
            let twice = layers.iter().take(index).any(|other| {
                other.id == layer.id
                    || (other.level == LayerLevel::National
                        && layer.level == LayerLevel::National
                        && other.year == layer.year)
            });
            if twice {
                faults.push(CalendarFault::Duplicate { layer: layer.id.clone() });
            }
        }
        if faults.is_empty() { Ok(Self { layers }) } else { Err(faults) }
    }

    /// The layers, national first.
    pub fn layers(&self) -> &[CalendarLayer] {
        &self.layers
    }

    /// The calendar of the country alone.
    pub fn national(&self) -> Calendar {
        self.merge(COUNTRY, None, None)
    }

    /// The calendar of a body of the province itself.
    pub fn for_province(&self, province: &str) -> Calendar {
        self.merge(province, Some(province), None)
    }

    /// The calendar of a body in a county: county over province over national.
    ///
    /// Which place counts is where the body that has to act is located. A code of nine digits (洋浦) falls back on
    /// its first six when it has no layer of its own.
    pub fn for_county(&self, province: &str, county: &str) -> Calendar {
        self.merge(county, Some(province), Some(county))
    }

    /// The calendar of a division code: the province's for a code that ends in 0000, else the county's.
    pub fn for_division(&self, code: &str) -> Calendar {
        let province: String = code.chars().take(2).chain("0000".chars()).collect();
        if province == code { self.for_province(code) } else { self.for_county(&province, code) }
    }

    fn merge(&self, name: &str, province: Option<&str>, county: Option<&str>) -> Calendar {
        let own = |layer: &CalendarLayer, code: Option<&str>| code.is_some() && layer.area.as_deref() == code;
        let has_own = self.layers.iter().any(|layer| layer.level == LayerLevel::County && own(layer, county));
        let county = if has_own { county } else { county.and_then(|code| code.get(..6)) };
        let chosen: Vec<&CalendarLayer> = self
            .layers
            .iter()
            .filter(|layer| match layer.level {
                LayerLevel::National => true,
                LayerLevel::Province => own(layer, province),
                LayerLevel::County => own(layer, county),
            })
            .collect();
        Calendar::merge(name, &chosen)
    }
}
