"""Rules about TkeServiceConfigs."""
